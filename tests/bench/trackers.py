"""What trackers cost: `python -m tests.bench.trackers`; each that is installed follows 500 evaluations of an example run.

Printed are the search's own share (microseconds of its thread for one evaluation), what the tracker's process uses beside it
(milliseconds of processor time for one evaluation, opening left out), and the seconds that opening and ending take.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from evolve.errors import EvolveError
from evolve.observer import NullObserver, Snapshot
from evolve.trackers import TABLE, check
from evolve.trackers.following import Trackers
from fitness.nouns import Interval
from tests.support.example_run import build

EVALUATIONS = 500
PACE = 0.01  # seconds between evaluations: some twenty times faster than a search


def snapshot(evaluations: int) -> Snapshot:
    """Return where a made-up run stands."""
    best, rate = Interval(0.5 + evaluations / 5000, 0.4, 0.7, 10), 60.0
    return Snapshot(
        "breeding", evaluations, EVALUATIONS, best, "abc", {"lda": 0.5}, rate, 1.0, (9, 9), 3.0, 7, 0.1, 0.4, 9.5, 0.3
    )


def used() -> float:
    """Return the processor seconds of processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def follow(name: str, evaluations: int) -> tuple[list[float], float, float]:
    """Have a tracker follow a run; return seconds of each evaluation here, of its end, and of its process."""
    with tempfile.TemporaryDirectory() as folder:
        trackers = Trackers([name], build(Path(folder) / "run.db", 3), print)
        watch, before, shares = trackers.beside(NullObserver()), used(), []
        for number in range(evaluations + 1):
            began = time.perf_counter()
            watch.snapshot(snapshot(number))
            shares.append(time.perf_counter() - began)
            time.sleep(PACE)
        began = time.perf_counter()
        trackers.close()
        return shares, time.perf_counter() - began, used() - before


def main() -> None:
    """Print a line for each tracker that is installed."""
    print(f"{EVALUATIONS} evaluations, one every {1000 * PACE:.0f} ms")
    print("tracker      search: us an evaluation (99 %)   its process: ms an evaluation   to open: CPU s   to end: s")
    for name in TABLE:
        try:
            check([name])
        except EvolveError as error:
            print(f"{name:<12} {error}")
            continue
        *_, opening = follow(name, 0)
        shares, ending, processor = follow(name, EVALUATIONS)
        here, worst = 1e6 * median(shares[1:]), 1e6 * quantiles(shares[1:], n=100)[-1]
        print(
            f"{name:<12} {here:>10.0f} ({worst:.0f}), first {1000 * shares[0]:.0f} ms"
            f"{1000 * (processor - opening) / EVALUATIONS:>24.2f} {opening:>22.1f} {ending:>13.1f}"
        )


if __name__ == "__main__":
    main()
