from __future__ import annotations

import random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives.grid import FlatPopulation
from archives.nouns import Elite
from evolve.config import Config
from evolve.islands.islands import Islands
from evolve.islands.migration import TOPOLOGIES, complete, drawn, founder, migrants, ring, worst_half

NAMES = pytest.mark.parametrize("name", TOPOLOGIES)


@NAMES
@given(islands=st.integers(2, 64), seed=st.integers(0, 99))
def test_every_island_sends_to_others_and_the_same_seed_to_the_same(name: str, islands: int, seed: int) -> None:
    routes = TOPOLOGIES[name](islands, random.Random(seed))
    assert {source for source, _ in routes} == set(range(islands))
    assert all(source != target and 0 <= target < islands for source, target in routes)
    assert len(set(routes)) == len(routes)
    assert routes == TOPOLOGIES[name](islands, random.Random(seed))


def test_a_ring_goes_round_and_complete_leaves_none_out() -> None:
    assert ring(3, random.Random(0)) == [(0, 1), (1, 2), (2, 0)]
    assert len(complete(4, random.Random(0))) == 12


def test_a_random_topology_reaches_every_pair_in_time() -> None:
    rng = random.Random(1)
    assert {route for _ in range(100) for route in drawn(4, rng)} == set(complete(4, rng))


def test_the_configuration_knows_every_topology() -> None:
    assert set(get_args(Config.model_fields["topology"].annotation)) == set(TOPOLOGIES)
    assert Config().topology == "ring"


def of(best: list[float]) -> Islands:
    """Islands of two elites each, whose best have this fitness."""
    islands = Islands(len(best), FlatPopulation(9))
    for island, fitness in enumerate(best):
        islands.place(Elite(island, 0, f"best{island}", fitness))
        islands.place(Elite(island, 1, f"other{island}", 0.0))
    return islands


def test_the_best_elites_are_the_migrants() -> None:
    islands, routes = of([0.1, 0.3, 0.2]), [(0, 1), (0, 2), (2, 0)]
    assert [(to, elite.method) for to, elite in migrants(islands, routes)] == [(1, "best0"), (2, "best0"), (0, "best2")]
    islands[2].clear()
    assert [to for to, _ in migrants(islands, routes)] == [1, 2]


@pytest.mark.parametrize(("count", "reset"), [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2)])
def test_the_worst_half_is_reset_from_a_survivor(count: int, reset: int) -> None:
    islands = of([1.0 + island for island in range(count)])
    worst = worst_half(islands)
    assert worst == list(range(reset))
    for target in worst:
        first = founder(islands, target, worst, random.Random(0))
        assert first is not None
        assert first.island not in worst
        assert first.method == f"best{first.island}"


def test_an_empty_island_is_the_worst() -> None:
    islands = of([0.1, 0.2, 0.3])
    islands[2].clear()
    assert worst_half(islands) == [2]


def test_a_lone_island_has_no_founder() -> None:
    assert founder(of([0.5]), 0, [0], random.Random(0)) is None
