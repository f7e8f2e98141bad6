"""Lets the best methods of a run earn trials on another task, or at another fidelity of its own, by successive halving.

Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (2016): all are judged on a few
instances, the better half goes on to twice as many, and so on until one is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist, fmean

from evolve.errors import UsageError
from evolve.executors import Executor
from evolve.executors.job import Job
from evolve.queries.leaderboard import LeaderboardRow, ranking
from evolve.queries.method import method_details
from evolve.runs.find import find_run, reading
from evolve.runs.judge import FIRST, JudgeRequest, averages, chosen_domain, evaluated, judging
from evolve.runs.resources import JudgeResources
from evolve.screening.screen import Screen
from evolve.text import count, label
from fitness import tasks
from fitness.nouns import Evaluation, EvolveError, Method, Split, Status
from fitness.tasks import Task, admits
from fitness.vault.instance import InstanceName

REACH = NormalDist().inv_cdf(0.95)  # of the 90 % interval


@dataclass(frozen=True)
class PromotionRequest:
    """Who is to be promoted, and to what.

    Attributes:
        task: the name of an admitted task; `domain`: one of its domains, or None for its first search domain.
        db: the run's archive, or None for the newest.
        methods: how many of the run's best set off; `instances`: on how many instances each.
        workers: trials at once.
        trust: whether they run below sandbox level B too.
    """

    task: str
    domain: str | None = None
    db: Path | None = None
    methods: int = 8
    instances: int = 2
    workers: int = 2
    device: str = "auto"
    trust: bool = False


@dataclass(frozen=True)
class Promoted:
    """How far a method came.

    Attributes:
        run_pgr: its mean dev PGR in the run; `first_pgr`: that on the instances that all methods were judged on, None where it
            failed; `pgr`, `low`, `high`: the mean over all of its instances and the 90 % interval, None where there is none.
        auc_pgr, auc_low, auc_high: the same of AUC PGR, over the instances that have any.
        instances: how many it earned.
        status: OK, or how it failed; `message`: why.
    """

    method: str
    name: str
    run_pgr: float
    first_pgr: float | None
    pgr: float | None
    low: float | None
    high: float | None
    auc_pgr: float | None
    auc_low: float | None
    auc_high: float | None
    instances: int
    status: Status
    message: str


@dataclass(frozen=True)
class Promotion:
    """What came of it.

    Attributes:
        db, run_task: the run and its task; `task`, `domain`: what its methods were judged on.
        methods: the one that was left first.
        correlation: Spearman's, between dev PGR in the run and PGR on the first instances, over `compared` methods; `low` and
            `high`: its 90 % interval. None where there is none.
    """

    db: Path
    run_task: str
    task: str
    domain: str
    methods: tuple[Promoted, ...]
    compared: int
    correlation: float | None
    low: float | None
    high: float | None


def promote(how: PromotionRequest, warn: Callable[[str], None], say: Callable[[str], None]) -> Promotion:
    """Judge the best methods of a run by successive halving, and count the looks.

    `warn` is told when the sandbox does not contain methods, `say` what takes long. Raises EvolveError.
    """
    task = tasks.load(how.task)
    domain = chosen_domain(task, how.domain)
    path = find_run(how.db)
    with reading(path) as archive:
        run_task, best = archive.run().task, [row for row in ranking(archive, how.methods) if row.pgr is not None]
        sources = {row.method: method_details(archive, row.method, ranked=False).source for row in best}
    _check(run_task, task)
    if len(best) < 2:
        raise UsageError(f"{path} has {count(len(best), 'method')} with a score: there is nobody to choose among")
    names = [InstanceName(task.name, domain, Split.FRESH, FIRST + i) for i in range(how.instances * _most(len(best)))]
    where = JudgeRequest(workers=how.workers, device=how.device, trust=how.trust)
    with judging(task, names, where, warn, say) as (resources, executor):
        screened = _screened(resources, best, sources)
        found = _halved(resources, executor, screened, names, how.instances, say)
    rows = {row.method: row for row in best}
    promoted = tuple(_promoted(rows[one.method], one, how.instances) for one in found)
    both = [(one.run_pgr, one.first_pgr) for one in promoted if one.first_pgr is not None]
    correlation, low, high = rank_correlation(both)
    return Promotion(path, run_task, task.name, domain, promoted, len(both), correlation, low, high)


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> tuple[float | None, float | None, float | None]:
    """Return Spearman's rank correlation and its 90 % interval, None where there are too few pairs or all are equal.

    The interval is Fisher's, with the standard error of Bonett and Wright, "Sample size requirements for estimating Pearson,
    Kendall and Spearman correlations" (2000).
    """
    from scipy.stats import spearmanr

    if len(pairs) < 3 or any(len(set(values)) < 2 for values in zip(*pairs)):
        return None, None, None
    found = float(spearmanr(*zip(*pairs)).statistic)
    if len(pairs) < 4 or abs(found) >= 1:
        return found, None, None
    reach = REACH * math.sqrt((1 + found**2 / 2) / (len(pairs) - 3))
    return found, math.tanh(math.atanh(found) - reach), math.tanh(math.atanh(found) + reach)


def _check(run_task: str, task: Task) -> None:
    """Raise UsageError where a run's methods are written for another contract, as far as its task is known here."""
    try:
        theirs = tasks.load(run_task)
    except EvolveError:
        return
    if not admits(task, theirs):
        raise UsageError(
            f"methods for {run_task} are handed other arrays, or return another answer, than those for {task.name}"
        )


def _most(methods: int) -> int:
    """Return by what the last one's instances are more than the first ones'."""
    return 1 << max(math.ceil(math.log2(methods)) - 1, 0)


def _screened(resources: JudgeResources, best: Sequence[LeaderboardRow], sources: dict[str, str]) -> list[Method]:
    """Return the methods as the screen reads them: an archive may be a stranger's."""
    screen, kept = Screen(resources.worker), list[Method]()
    for row in best:
        screened = screen.parse(sources[row.method], row.name)
        if screened.method is None:
            raise UsageError(f"{label(row.name, row.method)} of this run does not pass the screen: {screened.reason}")
        kept.append(screened.method.method)
    return kept


def _halved(
    resources: JudgeResources,
    executor: Executor,
    methods: Sequence[Method],
    names: Sequence[InstanceName],
    instances: int,
    say: Callable[[str], None],
) -> list[Evaluation]:
    """Judge in rungs; return each method's trials of all its rungs, the one that was left first."""
    going, ended = [Evaluation(method.id, (), Status.OK, None) for method in methods], list[Evaluation]()
    known, until = {method.id: method for method in methods}, instances
    while going:
        say(f"judging {count(len(going), 'method')} on {count(until, 'instance')} of {names[0].domain}")
        going = _rung(resources, executor, [known[one.method] for one in going], going, names[:until])
        alive = sorted((one for one in going if one.status is Status.OK), key=lambda one: -_mean(one))
        kept = alive[: math.ceil(len(going) / 2)] if len(going) > 2 else []
        ended = [*(one for one in (*alive, *(one for one in going if one.status is not Status.OK)) if one not in kept), *ended]
        going, until = kept, 2 * until
    return ended


def _rung(
    resources: JudgeResources,
    executor: Executor,
    methods: Sequence[Method],
    before: Sequence[Evaluation],
    names: Sequence[InstanceName],
) -> list[Evaluation]:
    """Judge methods on the instances that they have not had yet; return all of their trials."""
    new = names[len(before[0].trials) :]
    begun = [[executor.submit(Job("evaluate", method, (name,))) for name in new] for method in methods]
    found = list[Evaluation]()
    for one, futures in zip(before, begun):
        trials = tuple(trial for future in futures for trial in future.result().trials)
        resources.vault.log_look("promote", one.method, names[0].domain, Split.FRESH, len(trials))
        found.append(evaluated(one.method, (*one.trials, *trials)))
    return found


def _mean(evaluation: Evaluation) -> float:
    return fmean(score.pgr for score in evaluation.scores)


def _promoted(row: LeaderboardRow, evaluation: Evaluation, first: int) -> Promoted:
    (mean, low, high), (auc_mean, auc_low, auc_high) = averages(evaluation)
    early = [trial.score.pgr for trial in evaluation.trials[:first] if trial.score]
    assert row.pgr is not None, "only methods with a score set off"
    return Promoted(
        method=row.method,
        name=row.name,
        run_pgr=row.pgr,
        first_pgr=fmean(early) if len(early) == first else None,
        pgr=mean,
        low=low,
        high=high,
        auc_pgr=auc_mean,
        auc_low=auc_low,
        auc_high=auc_high,
        instances=len(evaluation.trials),
        status=evaluation.status,
        message=evaluation.message,
    )
