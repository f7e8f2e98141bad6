from __future__ import annotations

import random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.config import Config
from evolve.islands.migration import TOPOLOGIES, complete, drawn, ring

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
