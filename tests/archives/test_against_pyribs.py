"""The grids and the rule of placement against pyribs' GridArchive and CVTArchive, on the same streams of adds.

pyribs is at github.com/icaros-usc/pyribs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archives.archive import Archive
from archives.grid import Bins, Grid, Voronoi, voronoi
from archives.nouns import Elite, MethodRecord, Placement
from fitness.nouns import Measure
from fitness.tasks import load

ribs = pytest.importorskip("ribs.archives")
MEASURES = load("embedded").measures
THREE = (*MEASURES, load("embedded").other_measures[0])
EVERY = (*MEASURES, *load("embedded").other_measures)
GRID, CVT = Bins(MEASURES), voronoi(EVERY, 80, 3)
GRIDS = pytest.mark.parametrize("grid", [GRID, Bins(THREE), CVT], ids=["two measures", "three measures", "cvt"])
BEYOND = 0.2  # of an axis: how far the stream reaches on either side


@dataclass(frozen=True)
class Add:
    """One method that is offered: its number, where it lies, and how fit it is."""

    number: int
    at: tuple[float, ...]
    fitness: float


def stream(grid: Grid, adds: int, seed: int) -> list[Add]:
    """Return random adds, some of them outside the edges or on them, many as fit as another."""
    rng = np.random.default_rng(seed)
    low, high = (np.array([getattr(m, name) for m in grid.measures], float) for name in ("low", "high"))
    at = low + (rng.uniform(-BEYOND, 1 + BEYOND, (adds, len(low)))) * (high - low)
    ends = rng.random(at.shape)
    at = np.where(ends < 0.02, low, np.where(ends > 0.98, high, at))
    fitness = np.round(rng.normal(0.3, 0.3, adds), 2)
    return [Add(number, tuple(map(float, at[number])), float(fitness[number])) for number in range(adds)]


def pyribs(grid: Grid) -> Any:
    """Return pyribs' archive of the same cells; its epsilon, for values a rounding error below an edge, is ours: none."""
    if isinstance(grid, Voronoi):
        ranges, points = [(0.0, 1.0)] * len(grid.measures), np.array(grid.centroids)
        return ribs.CVTArchive(solution_dim=1, centroids=points, ranges=ranges, dtype=np.float64)
    ranges = [(measure.low, measure.high) for measure in grid.measures]
    return ribs.GridArchive(solution_dim=1, dims=[m.bins for m in grid.measures], ranges=ranges, epsilon=0.0, dtype=np.float64)


def theirs_at(grid: Grid, at: tuple[float, ...]) -> tuple[float, ...]:
    """Return where pyribs is told that a point lies: it has neither edges nor units of its own around centroids."""
    if not isinstance(grid, Voronoi):
        return at
    return tuple((min(max(x, m.low), m.high) - m.low) / (m.high - m.low) for m, x in zip(grid.measures, at))


def both(path: Path, grid: Grid, adds: list[Add]) -> Iterator[tuple[Add, Placement, int]]:
    """Offer the same adds to both and yield what each made of them; compare the elites at the end."""
    theirs = pyribs(grid)
    ours = Archive.create(path)
    with ours.transaction():
        for add in adds:
            ours.add_method(MethodRecord(str(add.number), "", 1, "", "search", "", (), ()))
            cell = grid.cell({m.name: value for m, value in zip(grid.measures, add.at)})
            placement = ours.place(Elite(0, cell, str(add.number), add.fitness))
            status = theirs.add_single([add.number], add.fitness, theirs_at(grid, add.at))["status"]
            yield add, placement, int(status)
    held = theirs.data(["index", "solution", "objective"])
    wanted = {(int(cell), str(int(number[0])), float(fitness)) for cell, number, fitness in zip(*(held[k] for k in held))}
    assert {(elite.cell, elite.method, elite.fitness) for elite in ours.elites()} == wanted
    ours.close()


def same(path: Path, grid: Grid, adds: list[Add]) -> dict[Placement, int]:
    counts = dict.fromkeys(Placement, 0)
    for add, placement, status in both(path, grid, adds):
        assert placement == status, add
        counts[placement] += 1
    return counts


@GRIDS
def test_the_same_stream_gives_the_same_elites(grid: Grid, tmp_path: Path) -> None:
    counts = same(tmp_path / "run.db", grid, stream(grid, 2_000, 0))
    assert all(counts.values())
    assert sum(counts.values()) == 2_000


@pytest.mark.slow
@GRIDS
def test_a_hundred_thousand_adds_give_the_same_elites(grid: Grid, tmp_path: Path) -> None:
    counts = same(tmp_path / "run.db", grid, stream(grid, 100_000, 1))
    assert counts[Placement.NEW] == grid.cells


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_every_point_has_the_same_cell(data: st.DataObject) -> None:
    measures = tuple(
        Measure(name, low := data.draw(st.floats(-5, 5)), low + data.draw(st.floats(0.1, 10)), data.draw(st.integers(1, 40)))
        for name in "abc"[: data.draw(st.integers(2, 3))]
    )
    at = [m.low + data.draw(st.floats(-1, 2)) * (m.high - m.low) for m in measures]
    places = [(value - m.low) / (m.high - m.low) * m.bins for m, value in zip(measures, at)]
    cell = Bins(measures).cell({m.name: value for m, value in zip(measures, at)})
    if all(abs(place - round(place)) > 1e-9 for place in places):  # nearer, rounding decides on which side of an edge it is
        assert cell == int(pyribs(Bins(measures)).index_of_single(at))


@settings(max_examples=200, deadline=None)
@given(st.tuples(*(st.floats(-1, 2) for _ in EVERY)))
def test_every_point_has_the_same_nearest_centroid(shares: tuple[float, ...]) -> None:
    at = tuple(m.low + share * (m.high - m.low) for m, share in zip(EVERY, shares))
    inside = theirs_at(CVT, at)
    near, next_ = sorted(math.dist(inside, centroid) for centroid in CVT.centroids)[:2]
    if next_ - near > 1e-9:  # nearer, rounding decides between two centroids
        assert CVT.cell({m.name: x for m, x in zip(EVERY, at)}) == int(pyribs(CVT).index_of_single(inside))


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_an_edge_divides_two_bins_and_the_ends_belong_to_the_grid(measure: Measure) -> None:
    width = (measure.high - measure.low) / measure.bins
    for edge in range(1, measure.bins):
        value = measure.low + edge * width
        assert measure.bin(value + 1e-9) == edge
        assert measure.bin(value - 1e-9) == edge - 1
        assert measure.bin(value) in (edge - 1, edge), "what rounding makes of an edge is one of its sides"
    assert measure.bin(measure.low) == 0
    assert measure.bin(measure.high) == measure.bins - 1


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.sampled_from(MEASURES), FINITE, FINITE)
def test_bins_follow_the_order_of_values_however_far_outside(measure: Measure, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0 <= measure.bin(low) <= measure.bin(high) <= measure.bins - 1
    if high < measure.low:
        assert measure.bin(high) == 0
    if low > measure.high:
        assert measure.bin(low) == measure.bins - 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_by_both(value: float, tmp_path: Path) -> None:
    middle = [(m.low + m.high) / 2 for m in MEASURES]
    theirs = pyribs(GRID)
    for place in range(len(MEASURES)):
        at = [*middle[:place], value, *middle[place + 1 :]]
        with pytest.raises(ValueError, match=f"{MEASURES[place].name} must be finite"):
            GRID.cell({m.name: one for m, one in zip(MEASURES, at)})
        with pytest.raises(ValueError, match="finite"):
            theirs.add_single([1], 0.5, at)
    with pytest.raises(ValueError, match="fitness of an elite must be finite"):
        Elite(0, 0, "method", value)
    with pytest.raises(ValueError, match="finite"):
        theirs.add_single([1], value, middle)


def test_the_first_of_equals_stays(tmp_path: Path) -> None:
    at = tuple((m.low + m.high) / 2 for m in MEASURES)
    adds = [Add(number, at, fitness) for number, fitness in enumerate((0.5, 0.5, 0.6, 0.6, 0.5))]
    placements = [(placement, status) for _, placement, status in both(tmp_path / "run.db", GRID, adds)]
    new, improved, rejected = Placement.NEW, Placement.IMPROVED, Placement.REJECTED
    assert [ours for ours, _ in placements] == [new, rejected, improved, rejected, rejected]
    assert all(ours == theirs for ours, theirs in placements)
