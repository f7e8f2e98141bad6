from __future__ import annotations

import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness import pgr
from fitness.nouns import Score

accuracy = st.floats(0.01, 0.99)


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


def test_the_stderr_is_that_of_the_test_rows_over_the_gap() -> None:
    assert pgr.score(0.75, 0.6, 0.9, 3000).stderr == pytest.approx((0.75 * 0.25 / 3000) ** 0.5 / 0.3)


@pytest.mark.parametrize("n", [5, 10, 20])
def test_the_interval_covers(n: int) -> None:
    rng, hits = random.Random(1), 0
    for _ in range(1000):
        span = pgr.interval(scores([rng.gauss(0.3, 0.15) for _ in range(n)]))
        hits += span.low <= 0.3 <= span.high
    assert 870 <= hits <= 930


def test_fitness_punishes_variance_and_rewards_instances() -> None:
    calm, wild = scores([0.5, 0.52, 0.48, 0.5]), scores([0.2, 0.8, 0.4, 0.6])
    assert fmean(s.pgr for s in calm) == pytest.approx(fmean(s.pgr for s in wild))
    assert pgr.fitness(calm) > pgr.fitness(wild)
    assert pgr.fitness(wild * 3) > pgr.fitness(wild)


def test_a_spread_of_zero_is_not_believed() -> None:
    """Three equal scores still come from finitely many test rows."""
    assert pgr.interval(scores([0.5, 0.5, 0.5])).low < 0.5


def test_one_score_says_nothing_about_the_spread() -> None:
    span = pgr.interval(scores([0.5]))
    assert (span.low, span.high) == (float("-inf"), float("inf"))


def test_a_small_spread_of_few_scores_is_not_believed_and_a_large_one_is() -> None:
    many = scores([0.1, 0.5, 0.9, 0.4, 0.6] * 4)
    least = pgr.pooled([many])
    few = pgr.interval(scores([0.5, 0.5]), least=least)
    assert few.high - few.low == pytest.approx((pgr.interval(many).high - pgr.interval(many).low) * 10**0.5)
    assert pgr.interval(scores([-0.5, 1.5]), least=least) == pgr.interval(scores([-0.5, 1.5]))
    assert pgr.interval(scores([0.5]), least=least).low > -1


def test_a_pooled_spread_weighs_groups_by_their_degrees_of_freedom() -> None:
    spread = pgr.pooled([scores([0.0, 1.0]), scores([0.5, 0.5, 0.5])])
    assert (spread.variance, spread.df) == (pytest.approx(0.5 / 3), 3)


def test_the_race_rarely_stops_an_equal_and_quickly_stops_the_hopeless() -> None:
    rng, stopped, steps = random.Random(2), 0, []
    for _ in range(2000):
        differences = [rng.gauss(0, pgr.RACE_SIGMA) for _ in range(10)]
        stopped += any(pgr.race_lost(differences[:k]) for k in range(1, 11))
        behind = [rng.gauss(-0.6, 0.15) for _ in range(10)]
        steps.append(next((k for k in range(1, 11) if pgr.race_lost(behind[:k])), 11))
    assert stopped / 2000 <= pgr.RACE_ALPHA
    assert fmean(steps) < 3


def test_the_paired_test_uses_the_pairing() -> None:
    theirs = scores([0.1, 0.9, 0.5, 0.2, 0.8])
    ours = scores([0.21, 1.0, 0.61, 0.29, 0.9])
    mean, low = pgr.paired(ours, theirs)
    assert mean == pytest.approx(0.102)
    assert low > 0.08


def test_coarse_scores_are_steps() -> None:
    assert {round(pgr.coarse(v / 1000), 3) for v in range(-100, 100)} == {-0.1, -0.05, 0.0, 0.05}
