from __future__ import annotations

import math
from itertools import product
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.cli.show.study import ends
from evolve.study.outcome import SearchOutcome, Step, height
from evolve.study.outcome import _area as area
from evolve.study.table import RESAMPLES, band, chance, interval, resampled, tabulate

PGRS = st.lists(st.lists(st.floats(-1, 1), min_size=4, max_size=4), min_size=1, max_size=5)


def outcome(strategy: str, repeat: int, fresh: tuple[float, ...], usd: float | None = 0.0, bred: bool = True) -> SearchOutcome:
    return SearchOutcome(strategy, repeat, Path("x"), "m", bred, fresh, 0.5, (), 0.4, 1.0, 3, 10, 100, usd, 1.0)


@settings(deadline=None)
@given(PGRS)
def test_an_interval_holds_the_mean(fresh: list[list[float]]) -> None:
    found = tabulate([outcome("a", i, tuple(one)) for i, one in enumerate(fresh)]).lines[0]
    everything = [pgr for one in fresh for pgr in one]
    assert found.fresh_pgr == pytest.approx(fmean(everything))
    assert found.fresh_low - 1e-9 <= found.fresh_pgr <= found.fresh_high + 1e-9


def test_a_strategy_judged_on_fewer_than_four_instances_has_no_interval() -> None:
    few = tabulate([outcome("a", i, (0.5, 0.6, 0.4 + i / 10)) for i in range(3)]).lines[0]
    assert (few.fresh_low, few.fresh_high) == (-math.inf, math.inf)
    assert ends(few) == "[n = 3: too few]"
    four = tabulate([outcome("a", i, (0.5, 0.6, 0.4 + i / 10, 0.5)) for i in range(3)]).lines[0]
    assert ends(four).startswith("[0.")


def test_the_spread_over_instances_is_shared_and_that_over_searches_is_not() -> None:
    rng = np.random.default_rng(1)
    easy = rng.normal(0.5, 0.2, 20)  # some instances are easier for everybody
    fresh = {"a": [tuple(easy + 0.05)] * 3, "b": [tuple(easy)] * 3}
    draws = resampled(fresh)
    assert draws["a"].means.shape == (RESAMPLES,)
    assert np.std(draws["a"].means) == pytest.approx(np.std(easy) / np.sqrt(20), rel=0.05)
    assert np.allclose(draws["a"].means - draws["b"].means, 0.05), "the same instances are drawn for both"


@pytest.mark.thorough
@pytest.mark.parametrize("searches", [2, 3, 8])
def test_intervals_and_probabilities_tell_the_truth_about_as_often_as_they_say(searches: int) -> None:
    rng, covered, apart, studies = np.random.default_rng(0), 0, 0, 200
    for _ in range(studies):
        instances = rng.normal(0, 0.1, (1, 20))
        fresh = {
            name: (0.6 + rng.normal(0, 0.1, (searches, 1)) + instances + rng.normal(0, 0.05, (searches, 20))).tolist()
            for name in ("one", "other")
        }
        draws = resampled(fresh)
        low, high = interval(draws["one"])
        covered += low <= 0.6 <= high
        apart += abs(chance(draws["one"], draws["other"]) - 0.5) > 0.45
    assert 0.78 <= covered / studies <= 0.97, "intervals of 90 % hold the truth"
    assert apart / studies <= 0.15, "equals are told apart with .95"


def test_a_band_is_as_wide_as_the_interval_of_a_mean_over_searches() -> None:
    heights = np.array([[0.5, 0.6], [0.5, 0.8], [0.5, 0.85], [0.5, 0.9]])
    low, high = band(heights)
    assert (low[0], high[0]) == (0.5, 0.5)
    assert (low[1], high[1]) == pytest.approx(interval(resampled({"a": heights[:, 1:].tolist()})["a"]), abs=5e-3)
    assert [end.tolist() for end in band(heights[:1])] == [[0.5, 0.6], [0.5, 0.6]], "of one search nothing is known"


def test_three_searches_prove_less_than_thirty() -> None:
    rng = np.random.default_rng(2)
    better, worse = (mean + 0.02 * rng.standard_normal((30, 20)) + 0.1 * rng.standard_normal((30, 1)) for mean in (0.8, 0.6))
    for searches, least, most in ((3, 0.9, 0.995), (30, 0.999, 1.0)):
        draws = resampled({"better": better[:searches].tolist(), "worse": worse[:searches].tolist()})
        assert least < chance(draws["better"], draws["worse"]) <= most
        assert chance(draws["better"], draws["worse"]) == pytest.approx(1 - chance(draws["worse"], draws["better"]))


def test_pairs_are_ordered_and_say_who_is_better() -> None:
    quality = {"low": 0.1, "high": 0.9, "same": 0.9}
    outcomes = [outcome(name, i, (q, q + 0.01, q - 0.01)) for (name, q), i in product(quality.items(), range(3))]
    found = tabulate(outcomes)
    assert [line.strategy for line in found.lines] == ["high", "same", "low"]
    chances = {(pair.better, pair.than): pair.probability for pair in found.pairs}
    assert chances.keys() == {("high", "same"), ("high", "low"), ("same", "low")}
    assert chances["high", "same"] == 0.5
    assert chances["high", "low"] == chances["same", "low"] == pytest.approx(1, abs=1e-3)


def test_a_price_that_is_unknown_stays_unknown_and_barren_searches_are_counted() -> None:
    outcomes = [outcome("a", 0, (0.1, 0.2), 1.5), outcome("a", 1, (0.1, 0.3), None), outcome("b", 0, (0.1, 0.2), 2.0, False)]
    a, b = sorted(tabulate(outcomes).lines, key=lambda line: line.strategy)
    assert (a.usd, b.usd, a.barren, b.barren) == (None, 2.0, 0, 1)


def test_the_area_under_the_best_so_far_is_its_mean_height() -> None:
    curve = (Step(0, 0.2), Step(10, 0.4), Step(50, 0.8), Step(120, 0.9))
    assert area(curve, 100) == pytest.approx((10 * 0.2 + 40 * 0.4 + 50 * 0.8) / 100)
    assert area(curve[:1], 100) == pytest.approx(0.2)
    assert [height(curve, at) for at in (0, 9, 10, 99, 200)] == [0.2, 0.2, 0.4, 0.8, 0.9]
