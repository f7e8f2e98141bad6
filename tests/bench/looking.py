"""What looking at a large run costs: `python -m tests.bench.looking [METHODS]`, 10,000 unless told.

Makes an archive of so many methods (support/large.py) and one of 100, and runs each verb on both as a process of its own, best
of three. The small run is the baseline: interpreter, imports and printing. Also opens the large run as `resume` does.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from archives.archive import Archive
from evolve.budget import Budget, Limit
from evolve.grids import grid_of
from evolve.runs.checks import stored_config
from evolve.runs.resources import load_operators
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from evolve.search.context import Judging, RunContext
from evolve.search.loop import Loop
from evolve.search.parts import assemble
from tests.bench.engine import Author, Stand, Tenths
from tests.support.large import build

ROOT = Path(__file__).parents[2]
VERBS = (
    "status", "top", "top --by cost", "top --direction noise", "show", "diff", "lineage", "map", "failures", "costs",
    "find whiten", "report --out -",
)  # fmt: skip
TIMES = 3


def timed(command: list[str]) -> tuple[float, float]:
    """Return the least wall clock and CPU seconds of a command."""
    walls, cpus = [], []
    for _ in range(TIMES):
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(time.perf_counter() - began)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(walls), min(cpus)


def resumed(path: Path, syntax: WorkerProcess) -> tuple[float, float]:
    """Return the wall clock and CPU seconds until a run's next candidate could set off."""
    began, cpu = time.perf_counter(), time.process_time()
    archive = Archive.open(path)
    config, judge = stored_config(archive), Stand(0.0)
    judging, screen = Judging(judge._task, judge, syntax, threading.Event()), Screen(syntax)
    budget, grid = Budget(Limit(config.evals), archive.judged(), archive.counted()), grid_of(archive)
    chosen = {spec: replace(Author(), name=spec) for spec in config.model}
    context = RunContext(
        config, archive, judging, screen, budget, grid, Tenths(1, syntax), load_operators(judge._task, config), chosen, ""
    )
    search = Loop(context, assemble(context))
    seconds = time.perf_counter() - began, time.process_time() - cpu
    search.live.close()
    archive.close()
    return seconds


def main() -> None:
    """Print a line for each verb, and one for a resume."""
    methods = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    load = " ".join(f"{minutes:.1f}" for minutes in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load} before this began")
    with tempfile.TemporaryDirectory() as name:
        small, large = build(Path(name) / "small.db", 100), build(Path(name) / "large.db", methods)
        evolve = [sys.executable, "-m", "evolve"]
        print(f"\n{methods:,} methods, {large.stat().st_size / 1e6:.0f} MB; --help alone {timed([*evolve, '--help'])[0]:.2f} s")
        print("verb                    wall s   of 100   beyond    ratio    CPU s   beyond")
        for verb in VERBS:
            wall, cpu = timed([*evolve, *verb.split(), "--db", str(large)])
            base, base_cpu = timed([*evolve, *verb.split(), "--db", str(small)])
            cells = (wall, base, wall - base, wall / base, cpu, cpu - base_cpu)
            print(f"{verb:<22}" + "".join(f"{cell:9.2f}" for cell in cells))
        with WorkerProcess() as syntax:
            print("opened for a resume: {:.2f} s, CPU {:.2f} s".format(*min(resumed(large, syntax) for _ in range(TIMES))))


if __name__ == "__main__":
    main()
