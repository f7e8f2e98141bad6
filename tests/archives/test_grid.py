from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives.grid import Grid
from fitness.nouns import Measure

MEASURES = (Measure("a", 0.0, 1.0, 4), Measure("b", -1.0, 1.0, 3))
GRID = Grid(MEASURES)


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_every_point_has_a_cell_and_the_cell_knows_its_bins(a: float, b: float) -> None:
    cell = GRID.cell({"a": a, "b": b})
    assert GRID.place(cell) == (MEASURES[0].bin(a), MEASURES[1].bin(b))


def test_cells_are_numbered_once_each() -> None:
    middles = [{"a": (i + 0.5) / 4, "b": -1 + (j + 0.5) * 2 / 3} for i in range(4) for j in range(3)]
    assert [GRID.cell(m) for m in middles] == list(range(12))


def test_what_lies_outside_is_in_the_last_bin() -> None:
    assert GRID.cell({"a": -5, "b": -5}) == 0
    assert GRID.cell({"a": 5, "b": 5}) == GRID.cells - 1


def test_a_missing_measure_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        GRID.cell({"a": 0.5})


def test_a_cell_outside_the_grid_names_the_range() -> None:
    with pytest.raises(ValueError, match=r"0\.\.11, got 12"):
        GRID.place(12)
