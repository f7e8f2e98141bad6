"""Computes the statistics of PGR: the ratio, its error, intervals, the fitness, the race, and the paired test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, variance

from fitness.nouns import Evaluation, Interval, Score

ROUNDING = 1e-12  # of PGR: scores that differ by less are equal
FEWEST = 4  # instances of a domain for an interval: of two it is 8.9 standard deviations wide, of three 3.4, of four 2.4
NARROW = 0.05  # of PGR: a smaller difference is called narrow, also when it is shown
RACE_SIGMA = 0.25  # assumed sub-Gaussian scale of one instance's paired PGR difference; measured .01-.25 (FITNESS.md)
RACE_GAP = 0.25  # of PGR: the race is quickest against methods that are this much worse than their rival
RACE_ALPHA = 0.10  # chance that a method as good as its rival is ever stopped (Howard et al. 2020)


@dataclass(frozen=True)
class Spread:
    """A variance of PGR over instances, and the degrees of freedom it was estimated with."""

    variance: float
    df: int


def recovered(value: float, floor: float, ceiling: float, n: int, error: float = 0.0) -> Score:
    """Return the gap recovered, (value - floor) / (ceiling - floor); `error` is the value's standard error.

    Raises ValueError when the ceiling is not above the floor: such instances are refused when they are built.
    """
    if not ceiling > floor:
        raise ValueError(f"the ceiling must exceed the floor, got {ceiling} and {floor}")
    gap = ceiling - floor
    return Score((value - floor) / gap, error / gap, value, floor, ceiling, n)


def score(value: float, floor: float, ceiling: float, n: int, agreement: float | None = None) -> Score:
    """Return PGR, where value, floor and ceiling are accuracies on n test rows (Burns et al. 2023), with its standard error.

    Delta method: to first order PGR errs by the mean over rows of t - (1 - PGR) w - PGR s, over the gap, where t, w and s say
    whether method, teacher and ceiling answered a row right. They answer the same rows, so covariances count. The method's with
    the teacher follows from `agreement`, the share of rows that both gave the same of two answers; not given, it is taken as 0,
    which is conservative: the two tend to be right together. Left out are the ceiling's own noise and what it
    shares with the others: about as much. Measured over the rows of seven baselines on seven instances of the embedded task,
    the true error is met within -2 and +13 %; without the agreement it is overstated by 1 to 65 %.
    Raises ValueError as `recovered` does.
    """
    plain = recovered(value, floor, ceiling, n)
    both_right = value * floor if agreement is None else (value + floor + agreement - 1) / 2
    shared = both_right - value * floor
    rows = _binomial(value) + (1 - plain.pgr) ** 2 * _binomial(floor) - 2 * (1 - plain.pgr) * shared
    return replace(plain, stderr=math.sqrt(max(rows, 0.0) / n) / (ceiling - floor))


def _binomial(accuracy: float) -> float:
    """Return the variance of one row's being right."""
    return accuracy * (1 - accuracy)


def t_quantile(p: float, df: float) -> float:
    """Return the p-quantile of Student's t distribution with df degrees of freedom; of the normal one when df is infinite."""
    if math.isinf(df):
        return NormalDist().inv_cdf(p)
    from scipy.special import stdtrit

    return float(stdtrit(df, p))


def t_share(deviate: float, df: float) -> float:
    """Return how much of Student's t distribution with df degrees of freedom lies below a deviate."""
    if math.isinf(df):
        return NormalDist().cdf(deviate)
    from scipy.special import stdtr

    return float(stdtr(df, deviate))


def freedom(parts: Sequence[tuple[float, int]]) -> float:
    """Return the degrees of freedom of a sum of variances, each with its own (Satterthwaite 1946, Welch 1947).

    It is infinite when nothing varies.
    """
    total = sum(part for part, _ in parts)
    return total**2 / sum(part**2 / df for part, df in parts) if total >= ROUNDING**2 else math.inf


@dataclass(frozen=True)
class _Estimate:
    """An estimate of a true PGR, or of a true difference of two.

    Attributes:
        value: the mean over strata of the mean over a stratum's instances.
        error: its standard error.
        df: degrees of freedom of `error`; 0 when some stratum has one instance, whose spread is unknown.
        skewness: of the value as an estimate: its third cumulant over the cube of `error`.
    """

    value: float
    error: float
    df: float
    skewness: float

    def at_least(self, error: float, df: float) -> _Estimate:
        """Return the estimate with this error unless its own is larger: the spread of a few instances can be small by luck."""
        return replace(self, error=error, df=df, skewness=0.0) if error >= self.error else self

    def bound(self, confidence: float) -> float:
        """Return what the truth exceeds with this confidence; with one below one half it is an upper bound.

        Student's bound errs when instances are skewed, for the mean and its error then move together. Willink (2005,
        Communications in Statistics: Theory and Methods 34, 753-766) inverts Hall's (1992, JRSS B 54, 221-228) cubic
        transformation of t at Student's quantiles: value - error ((1 + 6a (t - a))^(1/3) - 1) / 2a with a = skewness / 6, which
        at a = 0 is Student's.
        """
        t, a = t_quantile(confidence, self.df), self.skewness / 6
        reach = (math.cbrt(1 + 6 * a * (t - a)) - 1) / (2 * a) if abs(a) > 1e-6 else t
        return self.value - self.error * reach


def _estimate(strata: Sequence[Sequence[float]]) -> _Estimate:
    """Estimate the mean over equally weighted strata from the spread within them, which holds the noise of the test rows too.

    Skewness: Zhou & Dinh (2005, Biostatistics 6, 187-200), who take
    Hall's transformation from one mean to two. Raises ValueError when a stratum is empty.
    """
    if not strata or not all(strata):
        raise ValueError("an estimate of PGR needs at least one score of each stratum, got none")
    value = fmean(fmean(values) for values in strata)
    if min(len(values) for values in strata) < 2:
        return _Estimate(value, 0.0, 0, 0.0)
    parts = [variance(values) / len(values) for values in strata]
    total = sum(parts)
    if total < ROUNDING**2:
        return _Estimate(value, 0.0, sum(len(values) - 1 for values in strata), 0.0)
    df = freedom([(part, len(values) - 1) for part, values in zip(parts, strata)])
    skewness = sum(_third_cumulant(values) / len(values) ** 2 for values in strata) / total**1.5
    return _Estimate(value, math.sqrt(total) / len(strata), df, skewness)


def _third_cumulant(values: Sequence[float]) -> float:
    """Return the unbiased estimate of the third central moment; 0 of two values, which are always symmetric."""
    n, mean = len(values), fmean(values)
    return n * sum((v - mean) ** 3 for v in values) / ((n - 1) * (n - 2)) if n > 2 else 0.0


def _pgrs(strata: Sequence[Sequence[Score]]) -> list[list[float]]:
    return [[s.pgr for s in scores] for scores in strata]


def _row_error(strata: Sequence[Sequence[Score]]) -> float:
    """Return the standard error that the finite test rows alone would leave; it is known, so its degrees are infinite."""
    return math.sqrt(sum(fmean(s.stderr**2 for s in scores) / len(scores) for scores in strata)) / len(strata)


def pooled(groups: Sequence[Sequence[Score]]) -> Spread:
    """Return the pooled variance of PGR over instances within groups of scores, one group a method."""
    df = sum(len(group) - 1 for group in groups)
    if df < 1:
        raise ValueError("a pooled spread needs a group of at least two scores")
    squares = sum((len(group) - 1) * variance([s.pgr for s in group]) for group in groups if len(group) > 1)
    return Spread(squares / df, df)


def interval(*strata: Sequence[Score], confidence: float = 0.90, least: Spread | None = None) -> Interval:
    """Return the two-sided interval, of equal tails, of the true PGR: the expectation over instances (_Estimate.bound).

    Each stratum holds the scores of one domain; the true PGR over several domains is the mean of theirs.
    The spread over a few instances can look small by chance; it is not believed below what the test rows alone leave, nor below
    `least`, a spread known from elsewhere. Of fewer than FEWEST instances of a domain only the mean is told: the interval is
    unbounded.
    Raises ValueError without scores.
    """
    estimate, n = _estimate(_pgrs(strata)), sum(len(scores) for scores in strata)
    if min(len(scores) for scores in strata) < FEWEST:
        return Interval(estimate.value, -math.inf, math.inf, n)
    if least is not None:
        error = math.sqrt(sum(least.variance / len(scores) for scores in strata)) / len(strata)
        estimate = estimate.at_least(error, least.df)
    estimate, tail = estimate.at_least(_row_error(strata), math.inf), 0.5 + confidence / 2
    return Interval(estimate.value, estimate.bound(tail), estimate.bound(1 - tail), n)


def interval_of(evaluation: Evaluation) -> Interval | None:
    """Return the interval of an evaluation; only a whole one has any, that no failure and no stopping rule cut short."""
    return None if evaluation.fitness is None else interval(*evaluation.strata)


def fitness(*strata: Sequence[Score], confidence: float = 0.90) -> float:
    """Return the one-sided lower bound of the true PGR, from both sources of variance (strata and truth as in `interval`).

    A method that now and then fails badly is the hard case: at skewness -2 a 90 % bound is too high in 14 % of cases with ten
    instances and in 12 % with twenty, not in 10 % (Student's in 18 and 16 %).
    Raises ValueError for fewer than two scores of a stratum.
    """
    fewest = min((len(scores) for scores in strata), default=0)
    if fewest < 2:
        raise ValueError(f"a fitness needs at least two scores of each stratum, got {fewest}")
    return _estimate(_pgrs(strata)).at_least(_row_error(strata), math.inf).bound(confidence)


def race_lost(
    differences: Sequence[float], sigma: float = RACE_SIGMA, alpha: float = RACE_ALPHA, gap: float = RACE_GAP
) -> bool:
    """Tell whether paired differences (method minus rival, instance by instance) show that the method is worse.

    Anytime-valid: looking after every instance, a method that is as good as its rival is stopped with probability at most
    `alpha`. The test is Wald's (1945) likelihood ratio of "worse by `gap`" against "as good". With arrears of S in all after t
    instances, exp(gap / sigma^2 (S - gap t / 2)) is a supermartingale for every method that is as good or better and whose
    differences are sub-Gaussian with scale `sigma` or less, so it ever reaches 1 / alpha with probability at most alpha (Ville
    1939): the linear boundary S >= sigma^2 log(1 / alpha) / gap + gap t / 2 of Howard, Ramdas, McAuliffe & Sekhon (2020,
    Probability Surveys 17, theorem 1).
    Of the anytime-valid tests simulated with ten instances, differences of std .05-.25 and methods .2, .4 and .8 behind, it is
    the one that holds alpha and stops soonest: after 7.3, 2.8 and 2.0 instances. A normal mixture (Howard et al. 2021), with no
    gap in view, takes 8.3, 3.2 and 2.0 with a one-sided prior, and 9.1, 3.8 and 2.0 in closed form (equation 14). Bets on
    differences clipped to [-1, 1] (Waudby-Smith & Ramdas 2024), a bound far from the spread, take 10, 8.5 and 5.2. A t-test
    (Lai 1976; Wang & Ramdas 2025) takes 5.8, 4.0 and 3.1, but stops 18 % of equals whose differences have skewness 2, for it
    trusts a spread seen on two or three instances.
    """
    return -sum(differences) >= sigma**2 * math.log(1 / alpha) / gap + gap * len(differences) / 2


def paired(ours: Sequence[Score], theirs: Sequence[Score], confidence: float = 0.95) -> tuple[float, float]:
    """Return the mean paired difference of PGR on the same instances and its one-sided lower confidence bound.

    The bound allows for skewed differences (_Estimate.bound): at skewness -2 and twenty instances a 95 % bound is too high in
    7 % of cases (Student's in 10 %). Of fewer than FEWEST instances the bound is infinite. Raises ValueError for none.
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"a paired test needs the same instances on both sides, got {len(ours)} and {len(theirs)}")
    difference = _estimate([[a.pgr - b.pgr for a, b in zip(ours, theirs)]])
    if len(ours) < FEWEST:
        return difference.value, math.copysign(math.inf, 0.5 - confidence)
    return difference.value, difference.bound(confidence)


def paired_interval(ours: Sequence[Score], theirs: Sequence[Score]) -> Interval:
    """Return the 90 % interval of the paired difference; its lower end is the one-sided 95 % bound that decides (`paired`)."""
    mean, low = paired(ours, theirs)
    return Interval(mean, low, paired(ours, theirs, 0.05)[1], len(ours))
