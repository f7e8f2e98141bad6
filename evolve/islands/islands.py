"""Keeps the elites of each island, by cell and in the order of their fitness."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping

from archives.archive import Archive
from archives.grid import Grid, by_cell, niche
from archives.nouns import Elite
from fitness.nouns import Evaluation, Measure


def offer_to_all_islands(
    archive: Archive, grid: Grid, method: str, fitness: float, measures: Mapping[str, float], islands: int
) -> None:
    """Offer a method to every island of an archive that no engine holds."""
    elites = archive.elites()
    for island in range(islands):
        archive.place(Elite(island, niche(grid, measures, by_cell(elites, island)), method, fitness))


def rank(elite: Elite) -> tuple[float, str]:
    """Return what elites are ordered by: fitness, then method."""
    return elite.fitness, elite.method


class Island(Mapping[int, Elite]):
    """The elites of an island by cell; `ranked` holds them from the least fit to the fittest, `methods` their ids."""

    def __init__(self) -> None:
        self._held: dict[int, Elite] = {}
        self.ranked: list[Elite] = []
        self.methods: list[str] = []

    def place(self, elite: Elite) -> None:
        """Put an elite into its cell, in place of the one that is there."""
        before = self._held.get(elite.cell)
        if before is not None:
            at = bisect_left(self.ranked, rank(before), key=rank)
            while self.ranked[at].cell != before.cell:  # a method may hold several cells
                at += 1
            del self.ranked[at], self.methods[at]
        self._held[elite.cell] = elite
        at = bisect_right(self.ranked, rank(elite), key=rank)
        self.ranked.insert(at, elite)
        self.methods.insert(at, elite.method)

    def clear(self) -> None:
        """Empty every cell."""
        self._held.clear()
        self.ranked.clear()
        self.methods.clear()

    def __getitem__(self, cell: int) -> Elite:
        return self._held[cell]

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


class Islands:
    """The elites of every island, as the archive of a run holds them."""

    def __init__(self, count: int, grid: Grid) -> None:
        self._islands, self._grid = tuple(Island() for _ in range(count)), grid

    def place(self, elite: Elite) -> None:
        """Put an elite into its cell of its island."""
        self._islands[elite.island].place(elite)

    def elite(self, island: int, method: str, fitness: float, measures: Mapping[str, float]) -> Elite | None:
        """Return the elite that a method would be on an island; None where a measure of the grid is missing."""
        if any(measure.name not in measures for measure in self._grid.measures):  # judged before this one was recorded
            return None
        return Elite(island, niche(self._grid, measures, self._islands[island]), method, fitness)

    def would_place(self, evaluation: Evaluation, island: int) -> bool:
        """Tell whether a judged method is fitter than its cell's elite: only then are the probes worth their time."""
        if evaluation.fitness is None:
            return False
        elite = self._islands[island].get(niche(self._grid, evaluation.measures, self._islands[island]))
        return elite is None or evaluation.fitness > elite.fitness

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The axes of the grid."""
        return self._grid.measures

    def best_of_cells(self) -> dict[int, float]:
        """Return the best fitness in every occupied cell, over all islands."""
        best: dict[int, float] = {}
        for cell, elite in (held for island in self._islands for held in island.items()):
            best[cell] = max(elite.fitness, best.get(cell, elite.fitness))
        return best

    def __getitem__(self, island: int) -> Island:
        return self._islands[island]

    def __iter__(self) -> Iterator[Island]:
        return iter(self._islands)

    def __len__(self) -> int:
        return len(self._islands)
