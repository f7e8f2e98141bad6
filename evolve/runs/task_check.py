"""Checks a task before anything is searched on it: what it draws, what it gives away, and what its baselines are worth."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, variance

import evolve
from evolve import executors
from evolve.errors import UsageError
from evolve.executors.job import Job
from evolve.runs.resources import JudgeResources, judge_resources
from evolve.runs.seeds import collect
from evolve.screening.screen import Screen
from evolve.text import count
from fitness import registry, tasks
from fitness.checks import draws
from fitness.checks.leaks import SURE, leaks, remembered
from fitness.checks.nulls import nulls
from fitness.checks.result import CheckResult
from fitness.checks.sample import Sample
from fitness.nouns import Evaluation, EvolveError, Split, Status, TaskFault, Verdict
from fitness.tasks import Task
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault

INSTANCES = 3  # of each search domain
DIFFERENCE = 0.1  # of the gap: what a search must be able to see
POWER = 1.645 + 0.842  # deviates of a one-sided 95 % bound that is met in 80 % of cases
OVER, NARROW = 0.05, 0.05  # of the gap: how far a baseline may exceed the ceiling, and the least headroom
MARK = "checked"  # file in the vault beside a task's instances: its quick checks have passed
OURS = ("evolve", "fitness", "archives", "seeds")

Say = Callable[[str], None]


def before_start(task: Task, say: Say) -> None:
    """Make the checks that need no method, once for each version of a task of the user's own. Raises UsageError.

    What they cannot say without the best baseline is left to `task check`: of what tells the labels, only what tells nearly all
    of them is refused here.
    """
    vault = Vault()
    mark = vault.folder / task.name / task.version / MARK
    if mark.exists():
        return
    say("checking the task")
    for result in quick(task, vault, _names(task, 1), say):
        if not result.passed:
            raise UsageError(f"{task.name} fails the check {result.check!r}: {result.sentence} (task check shows all)")
    mark.touch(mode=0o600)


def quick(task: Task, vault: Vault, names: Sequence[InstanceName], say: Say) -> Iterator[CheckResult]:
    """Make the checks that need no method."""
    yield from _declared(task)
    drawn = draws.drawn(task, vault, names, say)
    yield from drawn
    if all(result.passed for result in drawn):
        samples = [draws.sample_of(task, vault, name) for name in names]
        yield from _given_away(samples, SURE, "nearly all of the gap")


def full(task: Task, say: Say, device: str = "auto", trust: bool = False) -> Iterator[CheckResult]:
    """Make every check; the baselines run in the sandbox. Raises EvolveError where that cannot be."""
    yield from _declared(task)
    vault, names = Vault(), _names(task, INSTANCES)
    drawn = draws.drawn(task, vault, names, say)
    yield from drawn
    if not all(result.passed for result in drawn):
        return
    searched = [name for name in names if name.domain in task.search_domains]
    with judge_resources(task, searched, device, trust=trust) as resources:
        say("screening the baselines")
        try:
            judged = dict(_baselines(task, resources, searched, say))
        except EvolveError as error:
            yield CheckResult("baselines", False, str(error))
            return
    yield from _judged(judged)
    sound = {name: found for name, found in judged.items() if found.status is Status.OK}
    if not sound:
        return
    best = max(sound, key=lambda name: _mean(sound[name]))
    yield from _anchored(best, _mean(sound[best]))
    say("looking for leaks")
    samples = [draws.sample_of(task, vault, name) for name in names]
    yield from _given_away(samples, _mean(sound[best]), f"the best baseline, {best}", remember=True)
    yield _symmetries(sound)
    yield _noise(sound)
    yield _seconds(task, sound)


def _names(task: Task, several: int) -> list[InstanceName]:
    searched = [InstanceName(task.name, d, Split.DEV, i) for i in range(several) for d in task.search_domains]
    return searched + [InstanceName(task.name, d, Split.FRESH, 0) for d in task.held_out_domains]


def _declared(task: Task) -> Iterator[CheckResult]:
    """Look at what was written or brought, before anything is drawn."""
    if task.reference:
        yield _imports(registry.file_of(task.reference))
    for name, sentence, passed in tasks.check_data(task):
        yield CheckResult(name, passed, sentence)


def _imports(path: Path) -> CheckResult:
    """Only the public names of `evolve` stay where they are. What else is used works today, so it is said and not refused."""
    inner = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            inner += [alias.name for alias in node.names if alias.name.split(".")[0] in OURS and alias.name != "evolve"]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
            public = node.module == "evolve"
            inner += [f"{node.module}.{a.name}" for a in node.names if not (public and a.name in evolve.__all__)]
    if inner:
        return CheckResult(
            "imports", True, f"{path.name} imports {inner[0]}, which may move: only names of `evolve` are public"
        )
    return CheckResult("imports", True, f"{path.name} uses public names only")


def _given_away(samples: Sequence[Sample], best: float, than: str, remember: bool = False) -> Iterator[CheckResult]:
    """Look for null answers and leaks that recover as much as `best`."""
    try:
        yield _nulls(samples, best, than)
        found = {leak.kind: leak for sample in _first_of_each(samples) for leak in leaks(sample, min(max(best, 0.5), SURE))}
        if remember:
            for domain in {sample.domain for sample in samples}:
                several = [sample for sample in samples if sample.domain == domain]
                found |= {leak.kind: leak for leak in remembered(several, best + OVER)}
    except TaskFault as fault:
        yield CheckResult("score", False, str(fault))
        return
    for kind, leak in found.items():
        yield CheckResult(f"leak: {kind}", False, leak.sentence)
    if not found:
        yield CheckResult("leaks", True, "no column, norm, order or copy tells the labels")


def _first_of_each(samples: Sequence[Sample]) -> list[Sample]:
    return list({sample.domain: sample for sample in reversed(samples)}.values())


def _nulls(samples: Sequence[Sample], best: float, than: str) -> CheckResult:
    worth: dict[str, list[float]] = {}
    for sample in samples:
        for name, recovered in nulls(sample):
            worth.setdefault(name, []).append(recovered)
    means = {name: fmean(values) for name, values in worth.items()}
    most = max(means, key=lambda name: means[name])
    said = f"of answers that know nothing {most} recovers most, {means[most]:.2f}"
    if means[most] >= best:
        return CheckResult("null answers", False, f"{said}, and {than} is {best:.2f}: raise the floor, or change the score")
    return CheckResult("null answers", True, f"{said}; {than} is {best:.2f}")


def _baselines(
    task: Task, resources: JudgeResources, names: Sequence[InstanceName], say: Say
) -> Iterator[tuple[str, Evaluation]]:
    """Judge the baselines, and probe them. Raises UsageError when there are none, or one cannot be read."""
    seeds, screen = collect(folders=task.seeds, needed=True), Screen(resources.worker)
    executor, jobs = executors.load("local"), []
    for seed in seeds:
        screened = screen.parse(seed.source, seed.name)
        if screened.method is None:
            yield seed.name, Evaluation("", (), Status.INVALID, None, message=screened.reason)
        else:
            jobs.append((seed.name, Job("certify", screened.method.method, tuple(names))))
    with executors.opened(executor, resources.judge, 2), resources.stopped_at_the_end():
        futures = [(name, executor.submit(job)) for name, job in jobs]
        for done, (name, future) in enumerate(futures):
            say(f"running the baselines, {done} of {len(futures)} done")
            yield name, future.result()


def _judged(judged: Mapping[str, Evaluation]) -> Iterator[CheckResult]:
    for name, found in judged.items():
        if found.status is not Status.OK:
            yield CheckResult("baselines", False, f"{name}: {found.status}: {found.message}")
    sound = sorted(((name, _mean(e)) for name, e in judged.items() if e.status is Status.OK), key=lambda pair: -pair[1])
    if sound:
        shown = ", ".join(f"{name} {mean:.2f}" for name, mean in sound)
        yield CheckResult("baselines", True, f"{count(len(sound), 'baseline')} run; gap recovered: {shown}")


def _anchored(best: str, mean: float) -> Iterator[CheckResult]:
    if mean > 1 + OVER:
        yield CheckResult("headroom", False, f"{best} recovers {mean:.2f}: the ceiling is none, raise it")
    elif mean > 1 - NARROW:
        yield CheckResult("headroom", False, f"{best} recovers {mean:.2f}: nothing is left to find; make the task harder")
    else:
        below = "; it is below the floor, which a search may well begin from" if mean < 0 else ""
        yield CheckResult("headroom", True, f"{1 - mean:.2f} of the gap above the best baseline, {best}{below}")


def _symmetries(sound: Mapping[str, Evaluation]) -> CheckResult:
    failed = [(name, f) for name, found in sound.items() for f in found.findings if f.verdict is Verdict.FAILED]
    if failed:
        name, finding = failed[0]
        advice = "mend the baseline, or take the declaration back if an honest method need not keep to it"
        return CheckResult("symmetries", False, f"{name} fails {finding.probe}: {finding.sentence}; {advice}")
    probes = {finding.probe for found in sound.values() for finding in found.findings}
    return CheckResult("symmetries", True, f"what is declared holds for every baseline ({', '.join(sorted(probes))})")


def _noise(sound: Mapping[str, Evaluation]) -> CheckResult:
    """Say how many instances show a difference of a tenth between two methods of much the same worth, on the same ones."""
    strata = [[[score.pgr for score in scores] for scores in found.strata] for found in sorted(sound.values(), key=_mean)]
    spread = fmean(variance(pgrs) for method in strata for pgrs in method)
    differences = [
        variance(a - b for a, b in zip(ours, theirs)) for one, other in pairwise(strata) for ours, theirs in zip(one, other)
    ]
    needed = max(2, math.ceil(POWER**2 * (fmean(differences) if differences else 2 * spread) / DIFFERENCE**2))
    said = f"from instance to instance a baseline varies by {math.sqrt(spread):.2f}"
    said += f"; a difference of {DIFFERENCE} between two that are much alike shows on {needed} instances"
    advice = "" if needed <= 20 else f": set dev_instances and fresh_instances to {needed}, or draw larger instances"
    return CheckResult("noise", True, said + advice)


def _seconds(task: Task, sound: Mapping[str, Evaluation]) -> CheckResult:
    longest = max(trial.seconds for found in sound.values() for trial in found.trials)
    said = f"a trial of the slowest baseline takes {longest:.2f} s, the limit is {task.limits.seconds:g} s"
    return CheckResult("seconds", longest < task.limits.seconds / 2, said)


def _mean(evaluation: Evaluation) -> float:
    return fmean(evaluation.pgrs)
