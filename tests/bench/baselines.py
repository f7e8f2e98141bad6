"""Measure the human baselines: `python -m tests.bench.baselines [INSTANCES] [TASK [NAME...]]` prints their table.

Judged like `evolve judge`, on its instances: PGR mean ± standard deviation over instances (on the task scale mean and 90 %
interval), seconds of one trial.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from statistics import fmean, stdev

from evolve import executors
from evolve.executors.job import Job
from evolve.report.progress import span
from evolve.runs import seeds as baselines
from evolve.runs.judge import FIRST
from evolve.runs.resources import JudgeResources, judge_resources
from evolve.screening.screen import Screen
from fitness.nouns import Method, Split, Trial
from fitness.pgr import interval
from fitness.tasks import domains, load
from fitness.vault.instance import InstanceName

AAR = {"vanilla": ".20", "confident": ".23", "zeroshot": ".03"}  # on its chat task, as published (2026-04)
WORKERS = 2


def trials(resources: JudgeResources, method: Method, instances: Sequence[InstanceName]) -> list[Trial]:
    """Judge one method on instances, in order."""
    with executors.opened(executors.load("local"), resources.judge, WORKERS) as executor:
        futures = [executor.submit(Job("evaluate", method, (name,))) for name in instances]
        return [trial for future in futures for trial in future.result().trials]


def cell(found: Sequence[Trial], intervals: bool) -> str:
    """Return mean ± standard deviation of PGR, or its interval."""
    scores = [t.score for t in found if t.score]
    if len(scores) < len(found):
        return str(next(t.status for t in found if not t.score))
    values = [score.pgr for score in scores]
    return span(interval(scores)) if intervals else f"{fmean(values):.2f} ± {stdev(values):.2f}"


def main() -> None:
    """Print the table."""
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    task = load(sys.argv[2] if len(sys.argv) > 2 else "embedded")
    wanted = {d: [InstanceName(task.name, d, Split.FRESH, FIRST + i) for i in range(instances)] for d in domains(task)}
    with judge_resources(task, [name for names in wanted.values() for name in names]) as resources:
        screen, seeds = Screen(resources.worker), baselines.collect(folders=task.seeds)
        aar = AAR if task.name == "embedded" else {}
        print(f"| baseline | {' | '.join(domains(task))} | seconds |{' AAR, its chat |' if aar else ''}")
        print("|---|" + "---|" * (len(domains(task)) + 1 + bool(aar)))
        rows: dict[str, list[Trial]] = {}
        for seed in (seed for seed in seeds if seed.name in (sys.argv[3:] or [seed.name])):
            screened = screen.parse(seed.source, seed.name).method
            assert screened is not None
            found = {domain: trials(resources, screened.method, names) for domain, names in wanted.items()}
            rows = found
            cells = [cell(found[domain], task.name == "scale") for domain in domains(task)]
            seconds = fmean(t.seconds for t in found[task.search_domains[0]])
            beside = f" {aar.get(seed.name, '')} |" if aar else ""
            print(f"| {seed.name} | {' | '.join(cells)} | {seconds:.2f} |{beside}", flush=True)
        for name, attribute in (("weak teacher, accuracy", "floor"), ("ceiling, accuracy", "ceiling")):
            means = [fmean(getattr(t.score, attribute) for t in rows[d]) for d in domains(task)]
            print(f"| {name} | {' | '.join(f'{mean:.2f}' for mean in means)} | |{' |' if aar else ''}")
        gaps = [min(t.score.ceiling - t.score.floor for t in rows[d] if t.score) for d in domains(task)]
        print(f"| smallest ceiling minus teacher | {' | '.join(f'{gap:.2f}' for gap in gaps)} | |{' |' if aar else ''}")


if __name__ == "__main__":
    main()
