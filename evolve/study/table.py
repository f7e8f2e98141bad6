"""The statistics of a study: means with bootstrap intervals over searches and instances, and who is better than whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from evolve.study.outcome import Outcome

RESAMPLES = 10_000
EQUAL = 1e-9  # of PGR: means that differ by less are equal
TAIL = 5.0  # percent outside a 90 % interval on either side


@dataclass(frozen=True)
class Line:
    """A strategy over its searches: means, and the 90 % interval of its fresh PGR.

    Attributes:
        fresh_pgr: of the champions on the fresh instances, which all searches share.
        auc, qd_score, behaviours, evaluations, dev: means over the searches (see `Outcome`).
        barren: searches that bred no method to answer with, and answered with the best human baseline.
        usd: in all; None where a price is unknown.
    """

    strategy: str
    searches: int
    fresh_pgr: float
    fresh_low: float
    fresh_high: float
    dev: float
    auc: float
    qd_score: float
    behaviours: float
    evaluations: float
    trials: float
    barren: int
    usd: float | None
    seconds: float


@dataclass(frozen=True)
class Pair:
    """The share of bootstrap resamples in which one strategy's mean fresh PGR is above another's (equal ones count half)."""

    better: str
    than: str
    probability: float


@dataclass(frozen=True)
class Table:
    """The strategies, the best first, and all pairs of them in that order."""

    lines: tuple[Line, ...]
    pairs: tuple[Pair, ...]


def tabulate(outcomes: Sequence[Outcome]) -> Table:
    """Return the table of a study.

    Two things vary: the search (another seed) and the instances that champions are judged on. The bootstrap (Efron 1979) draws
    both anew: searches within a strategy, and instances for all strategies alike, for they are the same ones. With R searches
    it understates their part of the variance by about (R - 1) / R.
    """
    names = list(dict.fromkeys(outcome.strategy for outcome in outcomes))
    groups = {name: [outcome for outcome in outcomes if outcome.strategy == name] for name in names}
    means = resampled({name: [outcome.fresh for outcome in group] for name, group in groups.items()})
    lines = sorted((_line(name, group, means[name]) for name, group in groups.items()), key=lambda x: -x.fresh_pgr)
    order = [line.strategy for line in lines]
    pairs = [Pair(a, b, _above(means[a], means[b])) for i, a in enumerate(order) for b in order[i + 1 :]]
    return Table(tuple(lines), tuple(pairs))


def resampled(fresh: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, NDArray[np.float64]]:
    """Return the bootstrap means of each strategy, given its searches' PGRs by instance; shape (RESAMPLES,)."""
    rng = np.random.default_rng(0)
    instances = len(next(iter(fresh.values()))[0])
    shares = rng.multinomial(instances, [1 / instances] * instances, RESAMPLES) / instances
    found = {}
    for name, searches in fresh.items():
        drawn = rng.multinomial(len(searches), [1 / len(searches)] * len(searches), RESAMPLES) / len(searches)
        found[name] = np.einsum("br,ri,bi->b", drawn, np.array(searches), shares)
    return found


def _above(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.mean(one > other + EQUAL) + np.mean(abs(one - other) <= EQUAL) / 2)


def _line(strategy: str, group: Sequence[Outcome], means: NDArray[np.float64]) -> Line:
    low, high = (float(end) for end in np.percentile(means, [TAIL, 100 - TAIL]))
    prices = [outcome.usd for outcome in group]
    return Line(
        strategy=strategy,
        searches=len(group),
        fresh_pgr=fmean(fmean(outcome.fresh) for outcome in group),
        fresh_low=low,
        fresh_high=high,
        dev=fmean(outcome.dev for outcome in group),
        auc=fmean(outcome.auc for outcome in group),
        qd_score=fmean(outcome.qd_score for outcome in group),
        behaviours=fmean(outcome.behaviours for outcome in group),
        evaluations=fmean(outcome.evaluations for outcome in group),
        trials=fmean(outcome.trials for outcome in group),
        barren=sum(not outcome.bred for outcome in group),
        usd=None if None in prices else sum(price or 0.0 for price in prices),
        seconds=sum(outcome.seconds for outcome in group),
    )
