"""Measures how near searches came to a human baseline that was held out of them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from archives.archive import Archive
from evolve.study.outcome import SearchOutcome, fresh_pgrs
from evolve.study.plan import Plan
from evolve.study.preparation import held_out
from fitness.nouns import Split, Status, Trial

ENOUGH = 3  # dev instances


@dataclass(frozen=True)
class Behaviour:
    """What a method does on each dev instance: its value, and the first measure of its answers."""

    points: tuple[tuple[float, float], ...]

    def distance(self, other: Behaviour) -> float:
        """Return the root mean square difference, in [0, 1]; over the instances that both ran on."""
        pairs = list(zip(self.points, other.points))
        return math.sqrt(fmean((a - b) ** 2 for one, two in pairs for a, b in zip(one, two)))


@dataclass(frozen=True)
class Rediscovery:
    """How near one search came to the baseline that was held out of it.

    Attributes:
        baseline: the mean fresh PGR of the held-out baseline; `rest`: of the best of the other human baselines.
        nearest: id of the bred method that behaves most like it, and its `distance`.
        usual: the distance of the nearest of the other human baselines, which the search began with.
        fresh: mean fresh PGR of the search's champion; `better` says whether that reaches the baseline's.
    """

    strategy: str
    repeat: int
    baseline: float
    rest: float
    nearest: str
    distance: float
    usual: float
    fresh: float

    @property
    def better(self) -> bool:
        """Whether the search's answer is at least as good as what was held out."""
        return self.fresh >= self.baseline

    @property
    def found(self) -> bool:
        """Whether a bred method behaves more like it than any baseline that the search began with."""
        return self.distance < self.usual


def rediscoveries(plan: Plan, outcomes: Sequence[SearchOutcome]) -> tuple[Rediscovery, ...]:
    """Return how near each search came to the baseline that the plan holds out. Raises UsageError when it is not there."""
    domains = plan.config.domains
    label = "+".join(domains)
    with contextlib.closing(Archive.open(plan.beginning)) as archive:
        target = held_out(archive, plan.hold_out)
        aim, others = _behaviour(archive, target, label), [m.id for m in archive.methods() if m.id != target]
        usual = min(aim.distance(_behaviour(archive, other, label)) for other in others if _whole(archive, other, label))
        baseline = fmean(fresh_pgrs(archive, target, domains))
        rest = max(fmean(pgrs) for other in others if (pgrs := fresh_pgrs(archive, other, domains)))
    found = []
    for outcome in outcomes:
        with contextlib.closing(Archive.open(outcome.path)) as archive:
            bred = [m.id for m in archive.methods("origin = 'search' and flags = ''") if _whole(archive, m.id, label)]
            distances = {method: aim.distance(_behaviour(archive, method, label)) for method in bred}
        nearest = min(distances, key=distances.__getitem__, default="")
        distance, fresh = distances.get(nearest, math.inf), fmean(outcome.fresh)
        found.append(Rediscovery(outcome.strategy, outcome.repeat, baseline, rest, nearest, distance, usual, fresh))
    return tuple(found)


def _ok(archive: Archive, method: str, label: str) -> list[Trial]:
    return [trial for trial in archive.trials(method, Split.DEV, label) if trial.status is Status.OK]


def _whole(archive: Archive, method: str, label: str) -> bool:
    """Tell whether a method ran on enough dev instances to say how it behaves."""
    return len(_ok(archive, method, label)) >= ENOUGH


def _behaviour(archive: Archive, method: str, label: str) -> Behaviour:
    trials = _ok(archive, method, label)
    return Behaviour(tuple((t.score.value, next(iter(t.measures.values()))) for t in trials if t.score))
