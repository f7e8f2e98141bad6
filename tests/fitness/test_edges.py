"""The default grid: its edges are those that tests/bench/edges.py found, and its axes tell good methods apart."""

from __future__ import annotations

import json

import pytest

from fitness.tasks import load
from tests.bench.edges import DATA, STEPS, edges

ROWS = json.loads(DATA.read_text())


@pytest.mark.parametrize("name", STEPS)
def test_the_edges_are_the_quantiles_of_the_seeds_and_200_children(name: str) -> None:
    measure = next(m for m in load("embedded").measures if m.name == name)
    assert sum(row["origin"] == "search" for row in ROWS) == 200
    assert (measure.low, measure.high) == edges(ROWS, name)


def test_methods_above_the_human_best_reach_at_least_four_columns() -> None:
    best = max(row["pgr"] for row in ROWS if row["origin"] == "seed")
    for name in STEPS:
        measure = next(m for m in load("embedded").measures if m.name == name)
        assert len({measure.bin(row[name]) for row in ROWS if row["pgr"] > best}) >= 4, name
