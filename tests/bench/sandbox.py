"""What the sandbox costs, and that it leaks nothing: `python tests/bench/sandbox.py [--repeats N] [--runs N]`.

Prints the milliseconds of a run whose method returns at once, its inputs already laid out as the vault lays them out, at each
level; in the same run a fresh process that imports torch and numpy, as it would be without a zygote, and the ratio of the two.
Then a thousand runs in a row: processes, descriptors, memory and files before and after.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from fitness.contracts.contract import Problem
from fitness.nouns import Limits, Outcome, Status
from fitness.sandbox.doctor import diagnose
from fitness.sandbox.sandbox import Sandbox
from fitness.sandbox.transfer import lay_out
from tests.support.weak_to_strong import problem_of

AT_ONCE = "import torch\ndef method(problem): return torch.full((len(problem.test_x),), 0.5)"
FIT = "def method(problem): return problem.student.fit(problem.train_x, problem.weak)(problem.test_x)"
FRESH = "import torch, numpy; torch.full((3000,), 0.5)"
AIM = 30.0  # ms, the median at levels A and B on two cores
WARM_UP = 50  # runs before the first count: caches fill


@dataclass(frozen=True)
class Held:
    """What this process and those below it hold.

    Attributes:
        processes: those below this one.
        descriptors: open files of this process, and of the zygote.
        kilobytes: resident memory of this process, and of the zygote.
        files: entries of the folder for temporary files, and of those below it.
    """

    processes: int
    descriptors: tuple[int, int]
    kilobytes: tuple[int, int]
    files: int


def milliseconds(repeats: int, action: Callable[[], object]) -> list[float]:
    """Time an action several times, sorted."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        times.append((time.perf_counter() - begun) * 1e3)
    return sorted(times)


def below(process: int) -> list[int]:
    """Return the processes below one, parents first."""
    children = [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return [*children, *(pid for child in children for pid in below(child))]


def held(folder: Path) -> Held:
    """Count, once the children that have answered are gone."""
    family = below(os.getpid())
    while len(family) > len({pid for pid in family if below(pid)}) + 1:  # one leaf: the child that waits for the next run
        time.sleep(0.01)
        family = below(os.getpid())
    pair = (os.getpid(), family[-2])
    descriptors = tuple(len(os.listdir(f"/proc/{pid}/fd")) for pid in pair)
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pair]
    kilobytes = tuple(count * os.sysconf("SC_PAGESIZE") >> 10 for count in pages)
    return Held(len(family), descriptors, kilobytes, sum(1 for _ in folder.rglob("*")))  # type: ignore[arg-type]  # two of each


def some_problem() -> Problem:
    """Return a problem of the usual size, its arrays loose."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((7000, 256), dtype=np.float32)
    p = rng.random((4000, 1), dtype=np.float32)
    return problem_of(x[:4000], np.hstack([1 - p, p]), x[4000:], seed=1)


def trial(sandbox: Sandbox, problem: Problem, source: str) -> Outcome:
    """Run a method, which must succeed."""
    outcome = sandbox.run(source, problem, Limits())
    if outcome.status is not Status.OK:
        sys.exit(f"{outcome.status}: {outcome.message}")
    return outcome


def show(name: str, times: list[float], fresh: float = 0.0) -> None:
    """Print a line; the ratio is to a fresh process."""
    ratio = f"   {fresh / median(times):6.1f}x faster than a fresh process" if fresh else ""
    print(f"{name:<46} median {median(times):8.1f} ms   min {times[0]:8.1f} ms   ({len(times)} runs){ratio}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--runs", type=int, default=1000, help="in a row, for the leaks")
    arguments = parser.parse_args()
    loose = some_problem()
    problem = replace(loose, **lay_out({name: getattr(loose, name) for name in ("train_x", "weak", "test_x")}))
    show("doctor", milliseconds(5, diagnose))
    show("laying out an instance of 7 MB", milliseconds(20, lambda: lay_out({"x": loose["train_x"], "test": loose["test_x"]})))
    baseline = milliseconds(5, lambda: subprocess.run([sys.executable, "-c", FRESH], check=True))
    show("fresh process: import torch and numpy", baseline)
    for level in {"A": "AB", "B": "B"}.get(diagnose().level, ""):
        with tempfile.TemporaryDirectory() as place:
            tempfile.tempdir = place
            begun = time.perf_counter()
            with Sandbox(level) as sandbox:
                print(f"level {level}: start {time.perf_counter() - begun:.2f} s")
                trial(sandbox, problem, AT_ONCE)
                times = milliseconds(arguments.repeats, lambda s=sandbox: trial(s, problem, AT_ONCE))
                show(f"level {level}: a method that returns at once (aim {AIM:.0f})", times, median(baseline))
                fits = milliseconds(arguments.repeats // 5, lambda s=sandbox: trial(s, problem, FIT))
                show(f"level {level}: vanilla fit, 4,000 x 256, 8 epochs", fits)
                milliseconds(WARM_UP, lambda s=sandbox: trial(s, problem, AT_ONCE))
                before = held(Path(place))
                milliseconds(arguments.runs, lambda s=sandbox: trial(s, problem, AT_ONCE))
                print(f"level {level}: before {arguments.runs} runs {before}\nlevel {level}: after {'':<10}{held(Path(place))}")
            tempfile.tempdir = None


if __name__ == "__main__":
    main()
