from __future__ import annotations

from itertools import product
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.study.outcome import Outcome, Step, height
from evolve.study.outcome import _area as area
from evolve.study.table import RESAMPLES, resampled, tabulate

PGRS = st.lists(st.lists(st.floats(-1, 1), min_size=4, max_size=4), min_size=1, max_size=5)


def outcome(strategy: str, repeat: int, fresh: tuple[float, ...], usd: float | None = 0.0, bred: bool = True) -> Outcome:
    return Outcome(strategy, repeat, Path("x"), "m", bred, fresh, 0.5, (), 0.4, 1.0, 3, 10, 100, usd, 1.0)


@given(PGRS)
def test_an_interval_holds_the_mean_and_stays_within_what_was_seen(fresh: list[list[float]]) -> None:
    found = tabulate([outcome("a", i, tuple(one)) for i, one in enumerate(fresh)]).lines[0]
    everything = [pgr for one in fresh for pgr in one]
    assert found.fresh_pgr == pytest.approx(fmean(everything))
    assert min(everything) - 1e-9 <= found.fresh_low <= found.fresh_high <= max(everything) + 1e-9


def test_the_spread_over_instances_is_shared_and_that_over_searches_is_not() -> None:
    rng = np.random.default_rng(1)
    easy = rng.normal(0.5, 0.2, 20)  # some instances are easier for everybody
    fresh = {"a": [tuple(easy + 0.05)] * 3, "b": [tuple(easy)] * 3}
    means = resampled(fresh)
    assert means["a"].shape == (RESAMPLES,)
    assert np.std(means["a"]) == pytest.approx(np.std(easy) / np.sqrt(20), rel=0.05)
    assert np.allclose(means["a"] - means["b"], 0.05), "the same instances are drawn for both"


def test_intervals_cover_about_as_often_as_they_say() -> None:
    rng, covered, studies = np.random.default_rng(0), 0, 200
    for _ in range(studies):
        fresh = 0.6 + rng.normal(0, 0.1, (8, 1)) + rng.normal(0, 0.1, (1, 20)) + rng.normal(0, 0.05, (8, 20))
        line = tabulate([outcome("a", i, tuple(row)) for i, row in enumerate(fresh)]).lines[0]
        covered += line.fresh_low <= 0.6 <= line.fresh_high
    assert 0.78 <= covered / studies <= 0.94, "bootstrap intervals of eight searches are a little too narrow"


def test_pairs_are_ordered_and_say_who_is_better() -> None:
    quality = {"low": 0.1, "high": 0.9, "same": 0.9}
    outcomes = [outcome(name, i, (q, q + 0.01, q - 0.01)) for (name, q), i in product(quality.items(), range(3))]
    found = tabulate(outcomes)
    assert [line.strategy for line in found.lines] == ["high", "same", "low"]
    chance = {(pair.better, pair.than): pair.probability for pair in found.pairs}
    assert chance == {("high", "same"): 0.5, ("high", "low"): 1.0, ("same", "low"): 1.0}


def test_a_price_that_is_unknown_stays_unknown_and_barren_searches_are_counted() -> None:
    outcomes = [outcome("a", 0, (0.1, 0.2), 1.5), outcome("a", 1, (0.1, 0.3), None), outcome("b", 0, (0.1, 0.2), 2.0, False)]
    a, b = sorted(tabulate(outcomes).lines, key=lambda line: line.strategy)
    assert (a.usd, b.usd, a.barren, b.barren) == (None, 2.0, 0, 1)


def test_the_area_under_the_best_so_far_is_its_mean_height() -> None:
    curve = (Step(0, 0.2), Step(10, 0.4), Step(50, 0.8), Step(120, 0.9))
    assert area(curve, 100) == pytest.approx((10 * 0.2 + 40 * 0.4 + 50 * 0.8) / 100)
    assert area(curve[:1], 100) == pytest.approx(0.2)
    assert [height(curve, at) for at in (0, 9, 10, 99, 200)] == [0.2, 0.2, 0.4, 0.8, 0.9]
