"""What a GPU brings: `python -m tests.bench.gpu [--seconds S] [--at-once N]` prints the table of docs/gpu.md, a row a baseline.

Trials a second on one instance of the embedded task: with one at a time on the CPU, with one on each of its cores, and with
several at a time on the GPU; of the GPU's trials, the share of the time before the method's first line and after its last
(fork, walls, CUDA, upload, hand-over). A method that stays in the race is judged by ten trials. Needs a GPU.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fitness.contracts.contract import Problem
from fitness.nouns import EvolveError, Split, Status
from fitness.sandbox.device import find
from fitness.sandbox.sandbox import Sandbox
from fitness.tasks import load
from fitness.vault.builder import build
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault

SEEDS = sorted((Path(__file__).parents[2] / "seeds").glob("*.py"))


@dataclass(frozen=True)
class Rate:
    """Trials a second, and the share of a trial's time that was not the method's."""

    trials: float
    start_up: float


def rate(sandbox: Sandbox, source: str, problem: Problem, at_once: int, seconds: float) -> Rate:
    """Run a method again and again, several at a time, for about so many seconds; the first round warms up."""
    limits = load("embedded").limits

    def trial(_: object) -> tuple[float, float]:
        begun = time.perf_counter()
        outcome = sandbox.run(source, problem, limits)
        if outcome.status is not Status.OK:
            sys.exit(f"{outcome.status}: {outcome.message}")
        return time.perf_counter() - begun, outcome.seconds

    def until(end: float) -> list[tuple[float, float]]:
        return [trial(None) for _ in itertools.takewhile(lambda _: time.perf_counter() < end, itertools.count())]

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(trial, range(at_once)))
        begun = time.perf_counter()
        times = [pair for found in pool.map(until, [begun + seconds] * at_once) for pair in found]
        wall = time.perf_counter() - begun
    whole, own = (sum(column) for column in zip(*times))
    return Rate(len(times) / wall, 1 - own / whole)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0, help="for each number")
    parser.add_argument("--at-once", type=int, default=8, help="methods at a time on the GPU")
    options = parser.parse_args()
    try:
        gpu = find()
    except EvolveError as error:
        sys.exit(f"nothing was measured: {error}")
    task, vault, cores = load("embedded"), Vault(), len(os.sched_getaffinity(0))
    name = InstanceName(task.name, task.search_domains[0], Split.DEV, 0)
    build(vault, task, [name])
    problem, _ = vault.problem(vault.load(task, name), "a benchmark")
    with Sandbox() as on_cpu, Sandbox(gpu=gpu) as on_gpu:
        print(f"{gpu.name}, {cores} cores, {platform.machine()}, sandbox level {on_gpu.level}; trials a second\n")
        print(f"| baseline | 1 core | {cores} cores | GPU, 1 at once | GPU, {options.at_once} at once | start-up |")
        print("|---|---|---|---|---|---|")
        for path in SEEDS:
            runs = [(on_cpu, 1), (on_cpu, cores), (on_gpu, 1), (on_gpu, options.at_once)]
            rates = [rate(sandbox, path.read_text(), problem, n, options.seconds) for sandbox, n in runs]
            shown = " | ".join(f"{one.trials:.1f}" for one in rates)
            print(f"| {path.stem} | {shown} | {rates[-1].start_up:.0%} |", flush=True)


if __name__ == "__main__":
    main()
