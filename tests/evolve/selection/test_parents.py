from __future__ import annotations

import random
from collections import Counter

import pytest

from evolve.selection.parents import SELECTION_PRESSURE, ParentPool, by_rank, draw_by_rank, draw_evenly

METHODS = [f"method{i}" for i in range(12)]  # from the least fit to the fittest


def test_the_fittest_is_drawn_sixteen_times_as_often_as_the_least_fit() -> None:
    shares = [i / 100_000 for i in range(100_000)]
    drawn = Counter(by_rank(len(METHODS), share) for share in shares)
    assert sorted(drawn, key=drawn.__getitem__) == list(range(len(METHODS)))
    assert drawn[len(METHODS) - 1] / drawn[0] == pytest.approx(2.0**SELECTION_PRESSURE, rel=0.02)


@pytest.mark.parametrize("count", [1, 2, 3, 1000])
def test_every_share_has_a_place(count: int) -> None:
    assert {by_rank(count, share) for share in (0.0, 0.5, 0.999_999_999)} <= set(range(count))


def test_mates_are_the_fitter_the_likelier_and_never_the_parent() -> None:
    rng = random.Random(0)
    drawn = Counter(draw_by_rank(METHODS, 1, (METHODS[-1],), rng)[0] for _ in range(5_000))
    assert METHODS[-1] not in drawn
    assert set(drawn) == set(METHODS[:-1])
    assert drawn[METHODS[-2]] > 5 * drawn[METHODS[0]]


@pytest.mark.parametrize("draw", [draw_by_rank, draw_evenly])
def test_as_many_different_ones_as_there_are(draw: object) -> None:
    assert callable(draw)
    rng = random.Random(1)
    assert draw(METHODS, 0, (), rng) == []
    assert draw([], 2, ("gone",), rng) == []
    assert draw(["alone"], 1, ("alone",), rng) == []
    for _ in range(200):
        assert draw(["a", "b"], 1, ("b",), rng) == ["a"]
        found = draw(METHODS, 3, (METHODS[0],), rng)
        assert len(set(found)) == len(found) == 3
        assert METHODS[0] not in found


def test_a_parent_with_more_appeal_is_drawn_more_often() -> None:
    breeders = ParentPool(
        2, lambda place: ("fitter" if place else "less fit", None), lambda name, _: 0.0 if name == "fitter" else 1.0
    )
    rng = random.Random(2)
    drawn = Counter(breeders.draw(rng)[0] for _ in range(5_000))
    assert drawn["fitter"] / drawn["less fit"] == pytest.approx(8.0, rel=0.2)
