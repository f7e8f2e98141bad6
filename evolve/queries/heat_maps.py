"""Returns the grid as heat maps: one for all islands together and one for each, over the first two measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archives.archive import Archive
from archives.grid import FlatPopulation, Grid, Voronoi
from archives.nouns import Elite
from archives.sqlite.typed import text
from evolve.errors import UsageError
from evolve.grids import grid_of
from evolve.text import label, words
from fitness.nouns import Measure

_UNITS = {"size": "log2 of syntax nodes", "compute": "log of seconds against vanilla"}


@dataclass(frozen=True)
class Axis:
    """One measure of the grid, with the edges of its bins."""

    name: str
    title: str
    edges: tuple[float, ...]

    @property
    def bins(self) -> int:
        """The number of bins."""
        return len(self.edges) - 1

    def span(self, place: int) -> str:
        """Return the range of a bin as text."""
        return f"{self.edges[place]:.4g} to {self.edges[place + 1]:.4g}"


@dataclass(frozen=True)
class Square:
    """An occupied cell of a heat map."""

    x: int
    y: int
    method: str
    label: str
    fitness: float
    island: int


@dataclass(frozen=True)
class HeatMap:
    """One grid as it is seen.

    Attributes:
        island: its number, or None for the best of all islands.
        squares: the occupied places; each shows the best of the cells that lie there (`note` says which do).
        occupied: cells of the whole grid that hold an elite, of `cells`.
    """

    island: int | None
    x: Axis
    y: Axis
    squares: tuple[Square, ...]
    occupied: int
    cells: int
    note: str = ""

    @property
    def title(self) -> str:
        """What it shows."""
        return "All islands" if self.island is None else f"Island {self.island}"


def colour_step(fitness: float) -> int:
    """Return the colour step of a fitness: 0 below 0, then eight equal steps from 0 to 1."""
    return 0 if fitness < 0 else min(1 + int(fitness * 8), 8)


def heat_maps(archive: Archive, island: int | None = None) -> tuple[HeatMap, ...]:
    """Return the map over all islands and, where there are several, one for each; or only that of an island.

    Raises EvolveError without a grid, or when no elite lives on that island.
    """
    grid = grid_of(archive)
    elites = archive.elites()
    names = {text(row, "method"): text(row, "name") for row in archive.rows("select distinct method, name from cells")}
    islands = sorted({elite.island for elite in elites})
    if island is not None and island not in islands:
        raise UsageError(f"no elite lives on island {island}: the islands with elites are {islands}")
    maps = [_map(grid, elites, names, None)]
    if len(islands) > 1:
        maps += [_map(grid, [e for e in elites if e.island == one], names, one) for one in islands]
    return tuple(heat for heat in maps if island in (None, heat.island)) or tuple(maps)


def _map(grid: Grid, elites: Iterable[Elite], names: Mapping[str, str], island: int | None) -> HeatMap:
    best: dict[tuple[int, int], Elite] = {}
    occupied: set[int] = set()
    for elite in elites:
        if not 0 <= elite.cell < grid.cells:
            continue  # placed on another grid than this version's
        occupied.add(elite.cell)
        x, y = (*grid.bins_of(elite.cell), 0)[:2]
        if (x, y) not in best or elite.fitness > best[x, y].fitness:
            best[x, y] = elite
    axes = [_axis(measure) for measure in grid.measures[:2]] or [_places(grid.cells)]
    squares = [
        Square(x, y, elite.method, label(names.get(elite.method, ""), elite.method), elite.fitness, elite.island)
        for (x, y), elite in sorted(best.items())
    ]
    y_axis = axes[1] if len(axes) > 1 else Axis("", "", (0.0, 1.0))
    return HeatMap(island, axes[0], y_axis, tuple(squares), len(occupied), grid.cells, _note(grid))


def _places(count: int) -> Axis:
    return Axis("place", "place in the population", tuple(float(place) for place in range(count + 1)))


def _note(grid: Grid) -> str:
    """Say what a square stands for when it is not one cell."""
    if isinstance(grid, FlatPopulation):
        return "This strategy keeps no grid: a square is a method of the population, in no order."
    if isinstance(grid, Voronoi):
        return f"{grid.cells} Voronoi cells: a square shows the best of those whose centres lie in it."
    rest = [words(measure.name) for measure in grid.measures[2:]]
    return f"A square shows the best over every {' and '.join(rest)}." if rest else ""


def _axis(measure: Measure) -> Axis:
    step = (measure.high - measure.low) / measure.bins
    unit = _UNITS.get(measure.name)
    title = f"{words(measure.name)} ({unit})" if unit else words(measure.name)
    return Axis(measure.name, title, tuple(measure.low + step * place for place in range(measure.bins + 1)))
