"""What a launch costs: `python tests/bench/sandbox.py` prints the median milliseconds of a trial whose method returns at once.

Beside it, in the same run: the same method in a fresh process that imports torch and numpy, and the student's fit inside.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from fitness.nouns import Limits, Outcome, Problem, Status
from fitness.sandbox.client import Sandbox
from fitness.sandbox.doctor import examine

AT_ONCE = "import torch\ndef method(problem): return torch.full((len(problem.test_x),), 0.5)"
FIT = "def method(problem): return problem.student.fit(problem.train_x, problem.weak)(problem.test_x)"
FRESH = "import torch, numpy; torch.full((3000,), 0.5)"


def milliseconds(repeats: int, action: Callable[[], object]) -> list[float]:
    """Time an action several times, sorted."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        times.append((time.perf_counter() - begun) * 1e3)
    return sorted(times)


def main() -> None:
    """Measure and print one line each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=50)
    repeats = parser.parse_args().repeats
    rng = np.random.default_rng(0)
    x = rng.standard_normal((7000, 256), dtype=np.float32)
    p = rng.random((4000, 1), dtype=np.float32)
    problem = Problem(x[:4000], np.hstack([1 - p, p]), x[4000:], None, 1, 2)

    def show(name: str, times: list[float]) -> None:
        print(f"{name:<46} median {median(times):8.1f} ms   min {times[0]:8.1f} ms   ({len(times)} runs)")

    def trial(sandbox: Sandbox, source: str) -> Outcome:
        outcome = sandbox.run(source, problem, Limits())
        if outcome.status is not Status.OK:
            sys.exit(f"{outcome.status}: {outcome.message}")
        return outcome

    show("examine()", milliseconds(5, examine))
    fresh = [sys.executable, "-c", FRESH]
    show("fresh process: import torch and numpy", milliseconds(5, lambda: subprocess.run(fresh, check=True)))
    for level in {"A": "AB", "B": "B"}.get(examine().level, ""):
        begun = time.perf_counter()
        with Sandbox(level) as sandbox:
            print(f"level {level}: start {time.perf_counter() - begun:.2f} s")
            trial(sandbox, AT_ONCE)
            show(f"level {level}: trial that returns at once", milliseconds(repeats, lambda s=sandbox: trial(s, AT_ONCE)))
            show(
                f"level {level}: vanilla fit, 4,000 x 256, 8 epochs",
                milliseconds(repeats // 5, lambda s=sandbox: trial(s, FIT)),
            )


if __name__ == "__main__":
    main()
