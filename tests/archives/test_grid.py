from __future__ import annotations

import json
import math
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archives.grid import MOST_CELLS, Bins, Grid, Voronoi, dump, parse, voronoi
from archives.nouns import ArchiveError
from fitness.nouns import Measure

MEASURES = (Measure("a", 0.0, 1.0, 4), Measure("b", -1.0, 1.0, 3))
THREE = (*MEASURES, Measure("c", 5.0, 9.0, 2))
BINS, BOX, CVT = Bins(MEASURES), Bins(THREE), voronoi(THREE, 20, 7)
GRIDS = pytest.mark.parametrize("grid", [BINS, BOX, CVT], ids=["bins", "three", "cvt"])
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def at(*values: float) -> Mapping[str, float]:
    return dict(zip("abc", values))


@given(st.floats(-10, 10), st.floats(-10, 10), st.floats(-10, 20))
def test_every_point_has_a_cell_and_the_cell_knows_its_bins(a: float, b: float, c: float) -> None:
    for grid in (BINS, BOX):
        cell = grid.cell(at(a, b, c))
        assert grid.bins_of(cell) == tuple(m.bin(value) for m, value in zip(grid.measures, (a, b, c)))
    assert 0 <= CVT.cell(at(a, b, c)) < CVT.cells == 20


def test_cells_are_numbered_once_each() -> None:
    middles = [at((i + 0.5) / 4, -1 + (j + 0.5) * 2 / 3, 6.0 + 2 * k) for i in range(4) for j in range(3) for k in range(2)]
    assert [BOX.cell(m) for m in middles] == list(range(24)) == list(range(BOX.cells))
    assert [BINS.cell(m) for m in middles[::2]] == list(range(12))


@GRIDS
@given(values=st.tuples(FINITE, FINITE, FINITE))
def test_what_lies_outside_is_in_the_cell_of_the_nearest_edge(grid: Grid, values: tuple[float, ...]) -> None:
    inside = [min(max(value, m.low), m.high) for m, value in zip(THREE, values)]
    assert grid.cell(at(*values)) == grid.cell(at(*inside))


@GRIDS
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_no_cell(grid: Grid, value: float) -> None:
    middle = [(m.low + m.high) / 2 for m in grid.measures]
    for place, measure in enumerate(grid.measures):
        with pytest.raises(ValueError, match=f"{measure.name} must be finite"):
            grid.cell(at(*middle[:place], value, *middle[place + 1 :]))


@GRIDS
def test_a_missing_measure_is_a_programming_error(grid: Grid) -> None:
    with pytest.raises(KeyError):
        grid.cell({"a": 0.5})


@GRIDS
def test_a_cell_outside_the_grid_names_the_range(grid: Grid) -> None:
    with pytest.raises(ValueError, match=rf"0\.\.{grid.cells - 1}, got {grid.cells}"):
        grid.bins_of(grid.cells)


@given(st.integers(0, 23))
def test_every_bin_holds_the_points_between_its_edges(cell: int) -> None:
    places = BOX.bins_of(cell)
    low = [m.low + place * (m.high - m.low) / m.bins for m, place in zip(THREE, places)]
    high = [m.low + (place + 1) * (m.high - m.low) / m.bins for m, place in zip(THREE, places)]
    assert BOX.cell(at(*(value + 1e-9 for value in low))) == cell == BOX.cell(at(*(value - 1e-9 for value in high)))


# Voronoi cells


def test_a_centroid_lies_in_its_own_cell_and_is_shown_in_its_bins() -> None:
    for cell, centroid in enumerate(CVT.centroids):
        point = at(*(m.low + x * (m.high - m.low) for m, x in zip(THREE, centroid)))
        assert CVT.cell(point) == cell
        assert CVT.bins_of(cell) == tuple(m.bin(value) for m, value in zip(THREE, point.values()))


def test_the_first_of_equally_near_centroids_is_taken() -> None:
    grid = Voronoi(MEASURES, ((0.25, 0.5), (0.75, 0.5)))
    assert [grid.cell(at(a, 0.0)) for a in (0.4, 0.5, 0.6)] == [0, 0, 1]


@pytest.mark.thorough
@settings(deadline=None)
@given(st.integers(2, 40), st.integers(0, 3))
def test_the_same_seed_gives_the_same_cells_and_another_others(cells: int, seed: int) -> None:
    made = voronoi(THREE, cells, seed)
    assert made == voronoi(THREE, cells, seed) != voronoi(THREE, cells, seed + 1)
    assert made.cells == cells


def test_cells_are_about_equally_large() -> None:
    counts = dict.fromkeys(range(CVT.cells), 0)
    for i in range(20):
        for j in range(20):
            for k in range(20):
                counts[CVT.cell(at(i / 19, -1 + 2 * j / 19, 5 + 4 * k / 19))] += 1
    assert min(counts.values()) > 8000 / 20 / 2
    assert max(counts.values()) < 8000 / 20 * 2


# in the archive


@GRIDS
def test_a_grid_comes_back_as_it_was(grid: Grid) -> None:
    assert parse(dump(grid)) == grid


def damaged() -> list[str]:
    """Return texts that describe no grid."""
    found = ["", "{", "[]", "3", "null", '{"measures": []}', '{"measures": {"a": 1}}', "[" * 100_000, '{"measures": [1]}']
    axes = json.loads(dump(BINS))["measures"]
    changes = [("bins", 0), ("bins", 2.5), ("bins", MOST_CELLS), ("low", 1.0), ("high", math.inf), ("low", None), ("name", 7)]
    found += [json.dumps({"measures": [axes[0], axes[1] | {key: value}]}) for key, value in [*changes, ("name", "a"), ("x", 1)]]
    points = [[], [[0.5]], [[0.5, 1.5]], [[0.5, math.nan]], [[0.5, 0.5], [0.5, 0.5]], [["x", 0.5]], 3, [[0.5, 1e400]]]
    return found + [json.dumps({"measures": axes, "centroids": held}) for held in points]


@pytest.mark.parametrize("text", damaged(), ids=range(len(damaged())))
def test_a_text_that_describes_no_grid_is_a_sentence(text: str) -> None:
    with pytest.raises(ArchiveError, match="the archive's grid cannot be read"):
        parse(text)
