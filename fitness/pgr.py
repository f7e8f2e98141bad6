"""The statistics of PGR: the ratio, its error, intervals, the fitness, the race, and the paired test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from fitness.nouns import Interval, Score

RACE_SIGMA = 0.25  # assumed sub-Gaussian scale of one instance's paired PGR difference; measured .01-.25 (FITNESS.md)
COARSE_STEP = 0.05  # of PGR: about .02 of accuracy at a gap of .4
RACE_ALPHA = 0.10  # chance that a method as good as its rival is ever stopped


@dataclass(frozen=True)
class Spread:
    """A variance of PGR over instances, and the degrees of freedom it was estimated with."""

    variance: float
    df: int


def score(transfer_acc: float, weak_acc: float, strong_acc: float, n: int) -> Score:
    """Return PGR = (transfer - weak) / (strong - weak) (Burns et al. 2023) with its standard error from n test rows.

    Raises ValueError when the ceiling is not above the teacher: such instances are refused when they are built.
    """
    if not strong_acc > weak_acc:
        raise ValueError(f"strong_acc must exceed weak_acc, got {strong_acc} and {weak_acc}")
    gap = strong_acc - weak_acc
    stderr = math.sqrt(transfer_acc * (1 - transfer_acc) / n) / gap
    return Score((transfer_acc - weak_acc) / gap, stderr, transfer_acc, weak_acc, strong_acc, n)


def t_quantile(p: float, df: int) -> float:
    """Return the p-quantile of Student's t distribution with df degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(df, p))


def _standard_error(scores: Sequence[Score]) -> float:
    """Return the standard error of the mean PGR: the spread over instances, never below what the test rows alone give."""
    rows = fmean(s.stderr**2 for s in scores)
    spread = variance([s.pgr for s in scores]) if len(scores) > 1 else 0.0
    return math.sqrt(max(rows, spread) / len(scores))


def pooled(groups: Sequence[Sequence[Score]]) -> Spread:
    """Return the pooled variance of PGR over instances within groups of scores, one group a method."""
    df = sum(len(group) - 1 for group in groups)
    if df < 1:
        raise ValueError("a pooled spread needs a group of at least two scores")
    squares = sum((len(group) - 1) * variance([s.pgr for s in group]) for group in groups if len(group) > 1)
    return Spread(squares / df, df)


def interval(scores: Sequence[Score], confidence: float = 0.90, least: Spread | None = None) -> Interval:
    """Return the two-sided Student interval of the true PGR, the expectation over instances.

    The spread over a few instances can look small by chance; `least` is a spread known from elsewhere below which it is not
    believed. Of a single instance without `least` nothing is known but its score: the interval is unbounded.
    Raises ValueError without scores.
    """
    if not scores:
        raise ValueError("an interval needs at least one score")
    mean, n = fmean(s.pgr for s in scores), len(scores)
    error, df = _standard_error(scores), n - 1
    if least is not None and math.sqrt(least.variance / n) >= error:
        error, df = math.sqrt(least.variance / n), least.df
    if df == 0:
        return Interval(mean, -math.inf, math.inf, n)
    half = t_quantile(0.5 + confidence / 2, df) * error
    return Interval(mean, mean - half, mean + half, n)


def fitness(scores: Sequence[Score], confidence: float = 0.90) -> float:
    """Return the one-sided lower confidence bound of the true PGR (Student), from both sources of variance."""
    if len(scores) < 2:
        raise ValueError(f"a fitness needs at least two scores, got {len(scores)}")
    return fmean(s.pgr for s in scores) - t_quantile(confidence, len(scores) - 1) * _standard_error(scores)


def race_lost(differences: Sequence[float], sigma: float = RACE_SIGMA, alpha: float = RACE_ALPHA) -> bool:
    """Tell whether paired differences (method minus rival, instance by instance) show that the method is worse.

    Anytime-valid: looking after every instance, a method that is as good as its rival is stopped with probability at most
    `alpha`. One-sided normal-mixture boundary for sub-Gaussian sums, sqrt(2 (V + rho) log(sqrt((V + rho) / rho) / alpha)) with
    V = sigma^2 t and rho = sigma^2 (Robbins 1970; Howard, Ramdas, McAuliffe & Sekhon 2021, Annals of Statistics 49, eq. 14).
    """
    t = len(differences)
    rho = sigma**2
    total = rho * t + rho
    boundary = math.sqrt(2 * total * math.log(math.sqrt(total / rho) / alpha))
    return t > 0 and -sum(differences) >= boundary


def paired(ours: Sequence[Score], theirs: Sequence[Score], confidence: float = 0.95) -> tuple[float, float]:
    """Return the mean paired difference of PGR on the same instances and its one-sided lower confidence bound (Student)."""
    if len(ours) != len(theirs) or len(ours) < 2:
        raise ValueError(f"a paired test needs the same two or more instances, got {len(ours)} and {len(theirs)}")
    differences = [a.pgr - b.pgr for a, b in zip(ours, theirs)]
    error = math.sqrt(variance(differences) / len(differences))
    mean = fmean(differences)
    return mean, mean - t_quantile(confidence, len(differences) - 1) * error


def coarse(mean_pgr: float) -> float:
    """Return the only form of a score that may reach a prompt: rounded down to a fixed step."""
    return math.floor(mean_pgr / COARSE_STEP + 1e-9) * COARSE_STEP
