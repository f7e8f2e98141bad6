"""Rank correlations: what is known of them, and when there is none."""

from __future__ import annotations

import numpy as np
import pytest

from evolve.runs.promotion import rank_correlation


def test_the_order_counts_and_not_the_numbers() -> None:
    found, low, high = rank_correlation([(0.1, 1.0), (0.2, 8.0), (0.3, 9.0), (0.4, 5.0), (0.5, 100.0)])
    assert found == pytest.approx(0.7)
    assert low is not None
    assert high is not None
    assert low < 0.7 < high


@pytest.mark.parametrize("pairs", [[], [(1.0, 2.0)], [(1.0, 2.0), (2.0, 3.0)], [(1.0, 2.0), (1.0, 3.0), (1.0, 4.0)]])
def test_of_too_few_or_of_equal_scores_there_is_none(pairs: list[tuple[float, float]]) -> None:
    assert rank_correlation(pairs) == (None, None, None)


def test_a_perfect_order_has_no_interval() -> None:
    assert rank_correlation([(float(i), 2.0 * i) for i in range(6)]) == (pytest.approx(1.0), None, None)


def test_the_interval_holds_the_correlation_about_as_often_as_it_says() -> None:
    rng, held, times = np.random.default_rng(0), 0, 400
    for _ in range(times):
        x = rng.standard_normal(12)
        y = 0.6 * x + 0.8 * rng.standard_normal(12)
        _, low, high = rank_correlation(list(zip(x.tolist(), y.tolist())))
        assert low is not None
        assert high is not None
        held += low < 0.58 < high  # Spearman's of a correlation of .6: 6 / pi * asin(.3)
    assert 0.85 < held / times < 0.96
