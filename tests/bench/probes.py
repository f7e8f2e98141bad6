"""Measure the false alarms of the probes: `python -m tests.bench.probes RUN.db` examines seeds and offline children.

Every seed on ten instances and the first 200 children of a run on one instance each, quickly; every seed and the ten best of
these children on one instance, thoroughly. Prints what each probe said, who was flagged and why, and what it cost. A child that
is flagged may be guilty: read it. The rates in fitness/probes/probes.py are these.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import numpy as np

from archives.archive import Archive
from evolve.runs import seeds as baselines
from evolve.runs.judge import FIRST
from evolve.runs.resources import JudgeResources, judge_resources
from evolve.screening.screen import Screen
from fitness import pgr
from fitness.nouns import Finding, Method, Outcome, Problem, Split, Status, Verdict
from fitness.probes.examination import Case
from fitness.probes.probes import PROBES, examine
from fitness.tasks import load
from fitness.vault.instance import InstanceName

CHILDREN = 200
INSTANCES = 10
BEST = 10
LOST_RETRIES = 2


@dataclass(frozen=True)
class Subject:
    """A method under examination, its name, and its PGR in the run it comes from."""

    name: str
    method: Method
    pgr: float


@dataclass(frozen=True)
class Examined:
    """One examination: who, where, what was found, and the cost."""

    subject: Subject
    instance: InstanceName
    findings: Sequence[Finding]
    runs: int
    seconds: float


def seeds(resources: JudgeResources) -> list[Subject]:
    """Return the human baselines."""
    screen = Screen(resources.worker)
    screened = [(seed.name, screen.parse(seed.source, seed.name).method) for seed in baselines.collect()]
    return [Subject(name, record.method, 0.0) for name, record in screened if record is not None]


def children(path: Path) -> list[Subject]:
    """Return the first children of a run that its judge could score."""
    archive = Archive.open(path)
    query = (
        "select m.id, m.name, m.source, m.nodes, e.pgr from evaluations e join methods m on m.id = e.method "
        "where e.split = 'dev' and e.status = 'OK' and m.origin = 'search' order by e.id limit ?"
    )
    rows = archive.rows(query, [CHILDREN])
    archive.close()
    return [
        Subject(str(row["name"]), Method(str(row["id"]), str(row["source"]), int(str(row["nodes"]))), float(str(row["pgr"])))
        for row in rows
    ]


def once(resources: JudgeResources, subject: Subject, name: InstanceName, thorough: bool) -> Examined | None:
    """Judge a method on an instance and examine it there; None when it fails the trial."""
    runs = 0

    def run(problem: Problem) -> Outcome:
        nonlocal runs
        runs += 1
        for _ in range(LOST_RETRIES):
            outcome = resources.sandbox.run(subject.method.source, problem, resources.task.limits)
            if outcome.status is not Status.LOST:
                return outcome
        return outcome

    resources.builder.wait_for(name)
    instance = resources.vault.load(resources.task, name)
    problem, answers = resources.vault.problem(instance, subject.method.id)
    outcome = run(problem)
    if outcome.predictions is None:
        return None
    accuracy = answers.score(outcome.predictions).transfer_acc
    score = pgr.score(accuracy, instance.weak_acc, instance.strong_acc, len(outcome.predictions))
    case = Case(problem, answers, instance.weak_acc, instance.strong_acc, score)
    began, before = time.monotonic(), runs
    findings = examine(run, case, np.random.default_rng(problem.seed), thorough)
    return Examined(subject, name, findings, runs - before, time.monotonic() - began)


def report(title: str, examined: Iterable[Examined | None]) -> None:
    """Print the flags as they come, then what each probe said and the cost."""
    done: list[Examined] = []
    for one in examined:
        if one is None:
            continue
        done.append(one)
        for finding in one.findings:
            if finding.verdict is Verdict.FAILED:
                print(f"  {one.subject.name} on {one.instance}: {finding.probe}: {finding.sentence}", flush=True)
    said = Counter((finding.probe, finding.verdict) for one in done for finding in one.findings)
    print(f"\n| {title}, {len(done)} examinations | passed | skipped | failed | rate |\n|---|---|---|---|---|")
    for probe in PROBES:
        passed, skipped, failed = (said[probe.name, v] for v in (Verdict.PASSED, Verdict.SKIPPED, Verdict.FAILED))
        print(f"| {probe.name} | {passed} | {skipped} | {failed} | {failed / len(done):.3f} |")
    runs, seconds = [one.runs for one in done], [one.seconds for one in done]
    print(f"\nruns: mean {fmean(runs):.1f}, most {max(runs)}; seconds: median {median(seconds):.1f}, most {max(seconds):.1f}")
    largest = {
        probe.name: max(
            (
                f.number / f.threshold
                for one in done
                for f in one.findings
                if f.probe == probe.name and f.number and f.threshold
            ),
            default=0.0,
        )
        for probe in PROBES
    }
    print(
        "largest number over threshold: " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in largest.items()) + "\n",
        flush=True,
    )


def main() -> None:
    """Print the tables."""
    bred = children(Path(sys.argv[1]))
    domain = sys.argv[2] if len(sys.argv) > 2 else "chat"
    names = [InstanceName("embedded", domain, Split.FRESH, FIRST + i) for i in range(INSTANCES)]
    with judge_resources(load("embedded"), names) as resources:

        def over(subjects: Sequence[Subject], places: Sequence[InstanceName], thorough: bool) -> Iterator[Examined | None]:
            for subject in subjects:
                for name in places:
                    yield once(resources, subject, name, thorough)

        human = seeds(resources)
        report("seeds", over(human, names, False))
        report("offline children", (once(resources, s, names[i % INSTANCES], False) for i, s in enumerate(bred)))
        report("seeds, thoroughly", over(human, names[:1], True))
        best = sorted(bred, key=lambda subject: -subject.pgr)[:BEST]
        report("best children, thoroughly", over(best, names[:1], True))


if __name__ == "__main__":
    main()
