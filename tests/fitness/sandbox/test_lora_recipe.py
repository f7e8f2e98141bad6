"""AAR's recipe: its numbers, the rank-stabilised scale, the schedule."""

from __future__ import annotations

from itertools import pairwise

import pytest

from fitness.sandbox.inside.recipe import AAR, PROJECTIONS


def test_the_recipe_is_aars() -> None:
    assert (AAR.rank, AAR.alpha, AAR.lr, AAR.warmup, AAR.betas, AAR.batch, AAR.epochs) == (
        32,
        32,
        1e-4,
        0.1,
        (0.9, 0.95),
        32,
        5,
    )
    assert AAR.scale == pytest.approx(5.657, abs=5e-4)
    assert len(PROJECTIONS) == 7


def test_the_learning_rate_rises_for_a_tenth_of_the_steps_and_falls_to_nothing() -> None:
    shares = [AAR.share(step, 100) for step in range(100)]
    assert shares[:10] == pytest.approx([n / 10 for n in range(1, 11)])
    assert shares[10] == 1
    assert shares[-1] == pytest.approx(1 / 90)
    assert all(a > b for a, b in pairwise(shares[10:]))
    assert [AAR.share(step, 1) for step in range(1)] == [1]
