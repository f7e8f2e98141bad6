"""What a trial costs beside the method itself: `python -m tests.bench.fitness [--repeats N]` prints a table, level by level.

One worker. In each trial the child calls the method twice on its problem. Own time is the second call: warm, one thread, as in
a plain process that has run the method before. Around the calls is what else `Judge.trial` takes: row order, hand-over, child,
walls, canary, scoring. First use is by how much the first call is slower than the second: a new process touches its memory and
code for the first time. Both are overhead; the aim is at most max(15 % of own time, 35 ms). Medians, and beside them the least
that was around: it depends less on what else this machine does.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from fitness.contracts.contract import Problem
from fitness.judge import Judge
from fitness.nouns import Limits, Method, Outcome, Split, Status
from fitness.sandbox.canary import Canary
from fitness.sandbox.doctor import diagnose
from fitness.sandbox.sandbox import Sandbox
from fitness.tasks import load
from fitness.vault.builder import build
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault

SEEDS = Path(__file__).parents[2] / "seeds"
NAMES = ("vanilla", "lda", "confident")
AT_ONCE = "import torch\ndef method(problem): return torch.full((len(problem.test_x),), 0.5)\n"
TWICE = """
import time as clock
import numpy as plain
once = method
def method(problem):
    begun = clock.perf_counter()
    once(problem)
    between = clock.perf_counter()
    once(problem)
    return plain.tile([(between - begun) / 1000, (clock.perf_counter() - between) / 1000], (len(problem.test_x), 1))
"""
INSTANCES = 3
SHARE, FLOOR = 0.15, 35.0  # the aim: a share of the method's own time, and milliseconds


@dataclass
class Twice:
    """Runs methods twice in one child; what comes back as predictions is how long each call took, in units of 1,000 s."""

    sandbox: Sandbox
    calls: list[tuple[float, float]] = field(default_factory=list)

    def run(self, source: str, problem: Problem, limits: Limits) -> Outcome:
        """Run a method and note its two times in milliseconds."""
        outcome = self.sandbox.run(source + TWICE, problem, limits)
        if outcome.predictions is None:
            sys.exit(f"{outcome.status}: {outcome.message}")
        first, second = (float(seconds) * 1e6 for seconds in outcome.predictions[0])
        self.calls.append((first, second))
        return outcome


@dataclass(frozen=True)
class Row:
    """What was measured of one method, in milliseconds, trial by trial."""

    own: list[float]
    around: list[float]
    first_use: list[float]

    def __str__(self) -> str:
        own, around, first_use = median(self.own), median(self.around), median(self.first_use)
        overhead, aim = around + first_use, max(SHARE * own, FLOOR)
        share = f"{overhead / own:.0%}" if own > 1 else ""
        return (
            f"{own:8.1f} {around:8.1f} {min(self.around):6.1f} {first_use:10.1f} {overhead:9.1f} {share:>6} {aim:6.1f}  "
            f"{'met' if overhead <= aim else 'NOT MET'}"
        )


def measure(judge: Judge, twice: Twice, source: str, names: list[InstanceName], repeats: int) -> Row:
    """Judge a method `repeats` times, each time under another id: its row order is drawn anew."""
    row = Row([], [], [])
    for i in range(-1, repeats):
        method, name = Method(f"{hash(source)} {i}", source, 100), names[i % len(names)]
        begun = time.perf_counter()
        trial = judge.trial(method, name)
        whole = (time.perf_counter() - begun) * 1e3
        assert trial.status is Status.OK
        first, own = twice.calls[-1]
        if i >= 0:  # the first one warms up
            row.own.append(own)
            row.around.append(whole - first - own)
            row.first_use.append(first - own)
    return row


def canary_ms(repeats: int) -> float:
    """Return the median milliseconds of planting, asking and removing one decoy."""
    canary, times = Canary(), []
    for _ in range(repeats):
        begun = time.perf_counter()
        with canary.planted() as decoy:
            canary.opened(decoy)
        times.append((time.perf_counter() - begun) * 1e3)
    canary.close()
    return median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    task, vault = load("embedded"), Vault()
    names = [InstanceName(task.name, task.search_domains[0], Split.DEV, i) for i in range(INSTANCES)]
    build(vault, task, names)
    sources = {"returns at once": AT_ONCE} | {name: (SEEDS / f"{name}.py").read_text() for name in NAMES}
    print("level method           own ms   around  least  first use  overhead      %    aim")
    for level in {"A": "AB", "B": "B"}.get(diagnose().level, ""):
        with Sandbox(level) as sandbox:
            twice = Twice(sandbox)
            judge = Judge(task, vault, twice, partial(vault.load, task), threading.Event())
            for name, source in sources.items():
                print(f"{level:5} {name:16} {measure(judge, twice, source, names, repeats)}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{repeats} trials each; the canary's share is {canary_ms(repeats):.2f} ms a trial; peak memory here {peak:.0f} MiB")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
