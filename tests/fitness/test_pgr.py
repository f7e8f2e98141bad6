from __future__ import annotations

import math
import random
from collections.abc import Callable
from statistics import NormalDist, fmean, stdev

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fitness import pgr
from fitness.nouns import Score

accuracy = st.floats(0.01, 0.99)
pgrs = st.lists(st.floats(-1, 1), min_size=3, max_size=10)


def scores(values: list[float]) -> list[Score]:
    return [Score(v, 0.02, 0.6, 0.5, 0.9, 3000) for v in values]


@given(accuracy, accuracy)
def test_the_teacher_scores_0_and_the_ceiling_1(weak: float, gap: float) -> None:
    strong = weak + gap * (1 - weak)
    assert pgr.score(weak, weak, strong, 100).pgr == pytest.approx(0)
    assert pgr.score(strong, weak, strong, 100).pgr == pytest.approx(1)


def test_an_instance_without_a_gap_has_no_pgr() -> None:
    with pytest.raises(ValueError, match="must exceed"):
        pgr.score(0.7, 0.8, 0.8, 100)


@given(st.integers(0, 2**32), accuracy, accuracy)
def test_the_stderr_is_that_of_the_rows_that_method_and_teacher_share(seed: int, skill: float, likeness: float) -> None:
    rng = np.random.default_rng(seed)
    teacher = rng.random(300) < 0.6
    method = np.where(rng.random(300) < likeness, teacher, rng.random(300) < skill)
    agreement = float(np.mean(teacher == method))
    found = pgr.score(float(method.mean()), float(teacher.mean()), 0.95, 300, agreement)
    rows = method - (1 - found.pgr) * teacher
    assert found.stderr == pytest.approx(rows.std() / math.sqrt(300) / (0.95 - teacher.mean()), abs=1e-6)


def test_the_pgr_of_a_copy_of_the_teacher_is_0_whatever_the_rows() -> None:
    copy = pgr.score(0.6, 0.6, 0.9, 3000, agreement=1.0)
    assert (copy.pgr, copy.stderr) == (0, pytest.approx(0, abs=1e-8))


def test_without_the_agreement_teacher_and_method_count_as_unlike() -> None:
    unlike = 0.6 * 0.7 + 0.4 * 0.3
    assert pgr.score(0.7, 0.6, 0.9, 3000).stderr == pytest.approx(pgr.score(0.7, 0.6, 0.9, 3000, unlike).stderr)
    assert pgr.score(0.7, 0.6, 0.9, 3000).stderr > pgr.score(0.7, 0.6, 0.9, 3000, 0.8).stderr


@pytest.mark.parametrize("n", [5, 10, 20])
def test_the_interval_covers(n: int) -> None:
    rng, hits = random.Random(1), 0
    for _ in range(1000):
        span = pgr.interval(scores([rng.gauss(0.3, 0.15) for _ in range(n)]))
        hits += span.low <= 0.3 <= span.high
    assert 870 <= hits <= 930


@pytest.mark.parametrize("tail", [1, -1])
@pytest.mark.parametrize("n", [5, 10, 20])
def test_the_interval_covers_when_instances_are_skewed(n: int, tail: int) -> None:
    rng, hits = random.Random(1), 0
    for _ in range(1000):
        span = pgr.interval(scores([0.3 + tail * 0.15 * (rng.expovariate(1) - 1) for _ in range(n)]))
        hits += span.low <= 0.3 <= span.high
    assert 850 <= hits <= 950


@given(pgrs, st.floats(-2, 2))
@example([0.0, 0.0, 1e-123], 0.0)
def test_the_interval_is_mirrored_and_moved_with_the_scores(values: list[float], by: float) -> None:
    span, mirrored = pgr.interval(scores(values)), pgr.interval(scores([by - v for v in values]))
    assert (mirrored.low, mirrored.high) == pytest.approx((by - span.high, by - span.low), abs=1e-6)


def test_of_symmetric_scores_the_interval_is_students() -> None:
    values = [0.1, 0.3, 0.5, 0.7, 0.9]
    half = pgr.t_quantile(0.95, 4) * stdev(values) / math.sqrt(5)
    span = pgr.interval(scores(values))
    assert (span.low, span.high) == (pytest.approx(0.5 - half), pytest.approx(0.5 + half))


def test_the_interval_reaches_further_on_the_side_of_the_long_tail() -> None:
    span = pgr.interval(scores([0.1, 0.12, 0.15, 0.2, 0.6]))
    assert span.high - span.mean > 1.5 * (span.mean - span.low)


def test_several_domains_weigh_the_same_however_many_instances_each_has() -> None:
    chat, math_ = scores([0.2, 0.3, 0.4] * 4), scores([0.7, 0.8, 0.9])
    span = pgr.interval(chat, math_)
    assert (span.mean, span.n) == (pytest.approx(0.55), 15)
    assert pgr.fitness(chat, math_) < span.mean
    assert pgr.interval(chat, math_) == pgr.interval(math_, chat)


def test_what_differs_between_domains_is_no_noise() -> None:
    chat, math_ = scores([0.2, 0.3, 0.4] * 2), scores([0.7, 0.8, 0.9] * 2)
    apart, together = pgr.interval(chat, math_), pgr.interval([*chat, *math_])
    assert apart.mean == pytest.approx(together.mean)
    assert apart.high - apart.low < (together.high - together.low) / 2


@pytest.mark.parametrize("n", [5, 10])
def test_the_interval_over_two_domains_covers(n: int) -> None:
    rng, hits = random.Random(1), 0
    for _ in range(1000):
        even, uneven = ([mean - std * (rng.expovariate(1) - 1) for _ in range(n)] for mean, std in ((0.1, 0.05), (0.5, 0.2)))
        span = pgr.interval(scores(even), scores(uneven))
        hits += span.low <= 0.3 <= span.high
    assert 850 <= hits <= 950


def test_without_scores_there_is_nothing_to_estimate() -> None:
    for strata in ((), ([],), (scores([0.5, 0.6]), [])):
        with pytest.raises(ValueError, match="at least one score"):
            pgr.interval(*strata)
    with pytest.raises(ValueError, match="at least two scores"):
        pgr.fitness(scores([0.5, 0.6]), scores([0.5]))


def test_fitness_punishes_variance_and_rewards_instances() -> None:
    calm, wild = scores([0.5, 0.52, 0.48, 0.5]), scores([0.2, 0.8, 0.4, 0.6])
    assert fmean(s.pgr for s in calm) == pytest.approx(fmean(s.pgr for s in wild))
    assert pgr.fitness(calm) > pgr.fitness(wild)
    assert pgr.fitness(wild * 3) > pgr.fitness(wild)


def test_a_spread_of_zero_is_not_believed() -> None:
    """Four equal scores still come from finitely many test rows, whose noise is known."""
    rows = NormalDist().inv_cdf(0.95) * 0.02 / math.sqrt(4)
    assert pgr.interval(scores([0.5] * 4)).low == pytest.approx(0.5 - rows)
    assert pgr.fitness(scores([0.5, 0.5, 0.5])) == pytest.approx(0.5 - NormalDist().inv_cdf(0.9) * 0.02 / math.sqrt(3))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_than_four_instances_of_a_domain_have_no_interval_whatever_is_known_of_the_spread(n: int) -> None:
    few, many = scores([0.5, 0.6, 0.7][:n]), scores([0.5, 0.6, 0.7, 0.4] * 5)
    for span in (pgr.interval(few), pgr.interval(few, least=pgr.pooled([many])), pgr.interval(many, few)):
        assert (span.low, span.high) == (-math.inf, math.inf)
    assert pgr.interval(few).mean == pytest.approx(fmean(s.pgr for s in few))
    assert pgr.interval(few).n == n
    assert math.isfinite(pgr.interval(many[:4]).low)


def test_a_paired_difference_of_fewer_than_four_instances_has_no_bound_on_either_side() -> None:
    ours, theirs = scores([0.9, 0.8, 0.85, 0.8]), scores([0.1, 0.1, 0.1, 0.1])
    assert pgr.paired(ours[:3], theirs[:3]) == (pytest.approx(0.75), -math.inf)
    assert pgr.paired(ours[:3], theirs[:3], 0.05)[1] == math.inf
    assert pgr.paired(ours, theirs)[1] > 0


def test_a_small_spread_of_few_scores_is_not_believed_and_a_large_one_is() -> None:
    many = scores([0.1, 0.5, 0.9, 0.4, 0.6] * 4)
    least = pgr.pooled([many])
    few = pgr.interval(scores([0.5] * 4), least=least)
    assert few.high - few.low == pytest.approx((pgr.interval(many).high - pgr.interval(many).low) * 5**0.5)
    wide = scores([-0.5, 1.5, -0.5, 1.5])
    assert pgr.interval(wide, least=least) == pgr.interval(wide)
    assert pgr.interval(scores([0.5] * 4), scores([0.5] * 4), least=least).low > few.low


def test_a_pooled_spread_weighs_groups_by_their_degrees_of_freedom() -> None:
    spread = pgr.pooled([scores([0.0, 1.0]), scores([0.5, 0.5, 0.5])])
    assert (spread.variance, spread.df) == (pytest.approx(0.5 / 3), 3)


SHAPES: dict[str, Callable[[random.Random], float]] = {  # of a paired difference: mean 0, standard deviation 1
    "normal": lambda rng: rng.gauss(0, 1),
    "mostly a little better, rarely far worse": lambda rng: 1 - rng.expovariate(1),
    "mostly a little worse, rarely far better": lambda rng: rng.expovariate(1) - 1,
}


@pytest.mark.parametrize("std", [0.05, 0.15, 0.25])
@pytest.mark.parametrize("shape", SHAPES)
def test_over_ten_looks_the_race_rarely_stops_an_equal(shape: str, std: float) -> None:
    rng, stopped = random.Random(2), 0
    for _ in range(2000):
        differences = [std * SHAPES[shape](rng) for _ in range(10)]
        stopped += any(pgr.race_lost(differences[:k]) for k in range(1, 11))
    assert stopped / 2000 <= pgr.RACE_ALPHA


def mixture_lost(differences: list[float]) -> bool:
    """The normal mixture boundary (Robbins 1970; Howard et al. 2021, equation 14), the usual choice when no gap is in view."""
    total = pgr.RACE_SIGMA**2 * (len(differences) + 1)
    boundary = math.sqrt(2 * total * math.log(math.sqrt(len(differences) + 1) / pgr.RACE_ALPHA))
    return -sum(differences) >= boundary


def spent(lost: Callable[[list[float]], bool], gap: float, std: float) -> float:
    """Return the mean number of instances, of ten, that a method `gap` worse gets when the race looks from the second on."""
    rng = random.Random(3)
    runs = [[rng.gauss(-gap, std) for _ in range(10)] for _ in range(1000)]
    return fmean(next((k for k in range(2, 10) if lost(run[:k])), 10) for run in runs)


@pytest.mark.parametrize(("gap", "most"), [(0.2, 8.5), (0.4, 3.2), (0.8, 2.1)])
@pytest.mark.parametrize("std", [0.05, 0.15, 0.25])
def test_the_race_soon_stops_the_worse_and_sooner_than_a_mixture_does(gap: float, most: float, std: float) -> None:
    ours = spent(pgr.race_lost, gap, std)
    assert ours <= most
    assert ours <= spent(mixture_lost, gap, std)


def test_a_race_without_differences_is_not_lost() -> None:
    assert not pgr.race_lost([])


def test_the_paired_test_uses_the_pairing() -> None:
    theirs = scores([0.1, 0.9, 0.5, 0.2, 0.8])
    ours = scores([0.21, 1.0, 0.61, 0.29, 0.9])
    mean, low = pgr.paired(ours, theirs)
    assert mean == pytest.approx(0.102)
    assert low > 0.08


def test_a_method_that_rarely_fails_badly_is_less_surely_better_than_one_that_rarely_shines() -> None:
    """Both lead by .08 with the same spread, so Student's bounds are equal."""
    theirs = scores([0.5] * 10)
    fails = pgr.paired(scores([0.2] + [0.62] * 9), theirs)
    shines = pgr.paired(scores([0.956] + [0.536] * 9), theirs)
    assert fails[0] == pytest.approx(shines[0])
    assert fails[1] < shines[1] - 0.01


def test_with_infinite_degrees_of_freedom_student_is_normal() -> None:
    assert pgr.t_quantile(0.9, math.inf) == pytest.approx(NormalDist().inv_cdf(0.9))
    assert pgr.t_quantile(0.9, 1e7) == pytest.approx(NormalDist().inv_cdf(0.9), abs=1e-5)
