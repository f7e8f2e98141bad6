"""Computes a study's statistics: means with bootstrap intervals over searches and instances, and who is better than whom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

import numpy as np
from numpy.typing import NDArray

from evolve.study.outcome import SearchOutcome
from fitness.pgr import FEWEST, freedom, t_quantile, t_share

RESAMPLES = 10_000  # of the bootstrap (Efron 1979)
EQUAL = 1e-9  # of PGR: means that differ by less are equal
TAIL = 0.05  # outside a 90 % interval on either side


@dataclass(frozen=True)
class StrategyLine:
    """A strategy over its searches: means, and the 90 % interval of its fresh PGR.

    Attributes:
        fresh_pgr: of the champions on the fresh instances, which all searches share; of few `instances` without interval.
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
    instances: int = 0


@dataclass(frozen=True)
class Pair:
    """How probable it is that one strategy's mean fresh PGR is above another's: .5 when nothing tells them apart."""

    better: str
    than: str
    probability: float


@dataclass(frozen=True)
class Table:
    """The strategies, the best first, and all pairs of them in that order."""

    lines: tuple[StrategyLine, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Draws:
    """What the bootstrap drew for a strategy.

    Attributes:
        means: of the drawn searches over the drawn instances; shape (RESAMPLES,).
        by_instance: mean of the searches on each instance; shape (instances,).
        searches: the variance of the strategy's mean over searches, and its degrees of freedom; (0, 0) for one search.
    """

    means: NDArray[np.float64]
    by_instance: NDArray[np.float64]
    searches: tuple[float, int]


def tabulate(outcomes: Sequence[SearchOutcome]) -> Table:
    """Return the table of a study.

    Two things vary: the search (another seed) and the instances that champions are judged on. The bootstrap (Efron 1979) draws
    both anew: searches within a strategy, and instances for all strategies alike, for they are the same ones. A study has few
    searches, of which a bootstrap alone tells equals apart twice as often as it says (tests/bench/intervals.py); so it is
    corrected twice, after Hesterberg ("What teachers should know about the bootstrap", 2015): deviations of R searches are made
    sqrt(R / (R - 1)) as large, and tails are Student's t, with the degrees of freedom of Welch and Satterthwaite.
    """
    names = list(dict.fromkeys(outcome.strategy for outcome in outcomes))
    groups = {name: [outcome for outcome in outcomes if outcome.strategy == name] for name in names}
    draws = resampled({name: [outcome.fresh for outcome in group] for name, group in groups.items()})
    lines = sorted((_line(name, group, draws[name]) for name, group in groups.items()), key=lambda x: -x.fresh_pgr)
    order = [line.strategy for line in lines]
    pairs = [Pair(a, b, chance(draws[a], draws[b])) for i, a in enumerate(order) for b in order[i + 1 :]]
    return Table(tuple(lines), tuple(pairs))


def resampled(fresh: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, Draws]:
    """Return what the bootstrap draws for each strategy, given its searches' PGRs by instance."""
    rng = np.random.default_rng(0)
    instances = len(next(iter(fresh.values()))[0])
    shares = rng.multinomial(instances, [1 / instances] * instances, RESAMPLES) / instances
    found = {}
    for name, searches in fresh.items():
        pgrs = np.array(searches)
        drawn = rng.multinomial(len(pgrs), [1 / len(pgrs)] * len(pgrs), RESAMPLES) / len(pgrs)
        means = np.einsum("br,ri,bi->b", drawn, _enlarged(pgrs), shares)
        found[name] = Draws(means, pgrs.mean(0), _variance(pgrs.mean(1)))
    return found


def interval(draws: Draws) -> tuple[float, float]:
    """Return the 90 % interval of a strategy's mean."""
    low, high = np.quantile(draws.means, _ends(_freedom(draws.searches, _variance(draws.by_instance))))
    return float(low), float(high)


def band(heights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 90 % interval of the mean over searches at each point of their curves, given in shape (searches, points)."""
    many = len(heights)
    drawn = np.random.default_rng(0).multinomial(many, [1 / many] * many, RESAMPLES) / many
    low, high = np.quantile(drawn @ _enlarged(heights), _ends(many - 1 or math.inf), axis=0)
    return low, high


def chance(one: Draws, other: Draws) -> float:
    """Return how probable it is that one mean is above the other: the share of draws, with Student's tails."""
    over = one.means - other.means
    share = float(np.mean(over > EQUAL) + np.mean(abs(over) <= EQUAL) / 2)
    spread = float(np.std(over))
    if spread <= EQUAL:
        return share
    normal = NormalDist()
    deviate = normal.inv_cdf(share) if 0 < share < 1 else float(np.mean(over)) / spread
    return t_share(deviate, _freedom(one.searches, other.searches, _variance(one.by_instance - other.by_instance)))


def _enlarged(searches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what searches reached, shape (searches, points), with their deviations as large as drawing from a few needs."""
    mean, many = searches.mean(0), len(searches)
    return mean + (searches - mean) * math.sqrt(many / max(many - 1, 1))  # type: ignore[no-any-return]


def _ends(df: float) -> tuple[float, float]:
    """Return the quantiles of a bootstrap that are the ends of a 90 % interval."""
    outside = NormalDist().cdf(t_quantile(TAIL, df))
    return outside, 1 - outside


def _variance(values: NDArray[np.float64]) -> tuple[float, int]:
    """Return the variance of a mean with its degrees of freedom; none of either for one value."""
    return (float(values.var(ddof=1)) / len(values), len(values) - 1) if len(values) > 1 else (0.0, 0)


def _freedom(*parts: tuple[float, int]) -> float:
    """Return the degrees of freedom of a sum of variances; what is one value only says nothing of how it varies."""
    return freedom([(variance, df) for variance, df in parts if df])


def _line(strategy: str, group: Sequence[SearchOutcome], draws: Draws) -> StrategyLine:
    instances = len(group[0].fresh)
    low, high = interval(draws) if instances >= FEWEST else (-math.inf, math.inf)
    prices = [outcome.usd for outcome in group]
    return StrategyLine(
        strategy=strategy,
        searches=len(group),
        fresh_pgr=fmean(fmean(outcome.fresh) for outcome in group),
        fresh_low=low,
        fresh_high=high,
        instances=instances,
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
