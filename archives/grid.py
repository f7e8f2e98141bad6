"""Divides the space of measures into cells: equal bins (Mouret & Clune 2015), or CVT's Voronoi cells (Vassiliades et al. 2018).

The edges and the centres of a grid never move: they are stored with the run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol

from archives.nouns import ArchiveError, Elite
from archives.sqlite.typed import LARGEST
from fitness.nouns import Measure

SAMPLES = 100  # points a cell that k-means sees, but at most MOST_SAMPLES
MOST_SAMPLES = 50_000
ROUNDS = 40  # of k-means
DIGITS = 6  # of a centroid's coordinates
MOST_MEASURES, MOST_CELLS = 8, 1 << 20


class Grid(Protocol):
    """Divides the space of some measures into numbered cells."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures, in order."""
        ...

    @property
    def cells(self) -> int:
        """The number of cells."""
        ...

    def cell(self, measures: Mapping[str, float]) -> int:
        """Return the cell of a method with these measures.

        Raises KeyError when one is missing, ValueError when one is not finite.
        """
        ...

    def bins_of(self, cell: int) -> tuple[int, ...]:
        """Return the bin of each measure for a cell (for its centre). Raises ValueError when there is no such cell."""
        ...


@dataclass(frozen=True)
class Bins:
    """Cells of two or three measures cut into equal bins, numbered row by row over the measures in their order."""

    measures: tuple[Measure, ...]

    @property
    def cells(self) -> int:
        """The number of cells."""
        return math.prod(measure.bins for measure in self.measures)

    def cell(self, measures: Mapping[str, float]) -> int:
        """Return the cell of a method with these measures.

        Raises KeyError when one is missing, ValueError when one is not finite.
        """
        index = 0
        for measure in self.measures:
            index = index * measure.bins + measure.bin(measures[measure.name])
        return index

    def bins_of(self, cell: int) -> tuple[int, ...]:
        """Return the bin of each measure for a cell."""
        _within(cell, self.cells)
        bins: list[int] = []
        for measure in reversed(self.measures):
            cell, bin_ = divmod(cell, measure.bins)
            bins.append(bin_)
        return tuple(reversed(bins))


@dataclass(frozen=True)
class Voronoi:
    """Cells around centroids: a method lies in the cell of the nearest, the first of equally near ones.

    Attributes:
        centroids: one point a cell, each coordinate from 0 (a measure's lower edge) to 1 (its upper edge).
    """

    measures: tuple[Measure, ...]
    centroids: tuple[tuple[float, ...], ...]

    @property
    def cells(self) -> int:
        """The number of cells."""
        return len(self.centroids)

    def cell(self, measures: Mapping[str, float]) -> int:
        """Return the cell of a method with these measures; what lies outside the edges counts as on them.

        Raises KeyError when one is missing, ValueError when one is not finite.
        """
        at = tuple(measure.share(measures[measure.name]) for measure in self.measures)
        distances = [math.dist(at, centroid) for centroid in self.centroids]
        return distances.index(min(distances))

    def bins_of(self, cell: int) -> tuple[int, ...]:
        """Return the bin of each measure in which a cell's centroid lies."""
        _within(cell, self.cells)
        return self._places[cell]

    @cached_property
    def _places(self) -> list[tuple[int, ...]]:
        return [tuple(min(int(x * m.bins), m.bins - 1) for x, m in zip(point, self.measures)) for point in self.centroids]


@dataclass(frozen=True)
class FlatPopulation:
    """A population without a grid, as numbered places: a newcomer takes a free one, or the least fit method's."""

    size: int

    @property
    def measures(self) -> tuple[Measure, ...]:
        """No measure matters."""
        return ()

    @property
    def cells(self) -> int:
        """The number of places."""
        return self.size

    def cell(self, measures: Mapping[str, float]) -> int:
        """Raise ValueError: where a method belongs depends on who is there (see `niche`)."""
        raise ValueError("a population without a grid has no cells")

    def bins_of(self, cell: int) -> tuple[int, ...]:
        """Return the place itself."""
        _within(cell, self.size)
        return (cell,)

    def open(self, elites: Mapping[int, Elite]) -> int:
        """Return the place for which a newcomer competes."""
        if len(elites) >= self.size:
            return min(elites.values(), key=lambda e: (e.fitness, e.method)).cell
        return next(place for place in range(self.size) if place not in elites)


def niche(grid: Grid, measures: Mapping[str, float], elites: Mapping[int, Elite]) -> int:
    """Return the cell for which a method with these measures competes, among the elites of an island."""
    return grid.open(elites) if isinstance(grid, FlatPopulation) else grid.cell(measures)


def by_cell(elites: Collection[Elite], island: int) -> dict[int, Elite]:
    """Return the elites of an island, by cell."""
    return {elite.cell: elite for elite in elites if elite.island == island}


def _within(cell: int, cells: int) -> None:
    if not 0 <= cell < cells:
        raise ValueError(f"cell must be in 0..{cells - 1}, got {cell}")


def voronoi(measures: tuple[Measure, ...], cells: int, seed: int) -> Voronoi:
    """Return a grid of evenly spread Voronoi cells: k-means of points drawn evenly between the measures' edges."""
    import numpy as np

    rng = np.random.default_rng(seed)
    points = rng.random((max(cells, min(cells * SAMPLES, MOST_SAMPLES)), len(measures)))
    centroids = points[:cells].copy()
    for _ in range(ROUNDS):
        nearest = np.argmin((centroids**2).sum(1) - 2 * points @ centroids.T, 1)
        counts = np.bincount(nearest, minlength=cells)
        sums = np.stack([np.bincount(nearest, column, cells) for column in points.T], 1)
        centroids = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centroids)
    found = sorted({tuple(round(float(x), DIGITS) for x in point) for point in centroids})
    return Voronoi(measures, tuple(found))


def dump(grid: Grid) -> str:
    """Return a grid as JSON."""
    held: dict[str, object] = {"measures": [asdict(measure) for measure in grid.measures]}
    if isinstance(grid, FlatPopulation):
        held["pool"] = grid.size
    if isinstance(grid, Voronoi):
        held["centroids"] = grid.centroids
    return json.dumps(held)


def parse(text: str) -> Grid:
    """Return the grid that a JSON text describes. Raises ArchiveError when it describes none."""
    try:
        held: Any = json.loads(text)
        if "pool" in held:
            return FlatPopulation(_size(held["pool"]))
        measures = tuple(Measure(**measure) for measure in held["measures"])
        points = held.get("centroids")
        grid = Bins(measures) if points is None else Voronoi(measures, tuple(tuple(map(float, point)) for point in points))
        sound = _is_sound(grid)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        sound = False
    if not sound:
        raise ArchiveError("the archive's grid cannot be read: it is damaged or was tampered with")
    return grid


def _size(pool: object) -> int:
    if type(pool) is not int or not 0 < pool <= MOST_CELLS:
        raise ValueError("no size of a population")
    return pool


def _is_sound(grid: Bins | Voronoi) -> bool:
    names = [measure.name for measure in grid.measures]
    axes = all(
        type(m.name) is str and type(m.bins) is int and 0 < m.bins <= MOST_CELLS and m.low < m.high and _bounded(m.low, m.high)
        for m in grid.measures
    )
    if not (axes and 0 < len(names) <= MOST_MEASURES and len(set(names)) == len(names) and 0 < grid.cells <= MOST_CELLS):
        return False
    points = grid.centroids if isinstance(grid, Voronoi) else ()
    inside = all(len(point) == len(names) and all(0 <= x <= 1 for x in point) for point in points)
    return inside and all(one < other for one, other in pairwise(points))


def _bounded(*ends: float) -> bool:
    return all(type(end) in (int, float) and abs(end) <= LARGEST for end in ends)
