"""How a search fared: coverage, QD-score and best fitness after each evaluation, over all islands and on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archives.history import History, Offer

MOST = 500  # points of one series


@dataclass(frozen=True)
class Point:
    """A grid after some evaluations of bred methods.

    Attributes:
        coverage: share of its cells that hold an elite.
        qd_score: the sum of its elites' fitness, those below 0 counting as 0 (Pugh et al. 2016).
        best: the fitness of its fittest elite.
    """

    judged: int
    coverage: float
    qd_score: float
    best: float


class _Tally:
    """Cells and their fitness, with the sums kept."""

    def __init__(self, cells: int) -> None:
        self.held: dict[int, float] = {}
        self.points: list[Point] = []
        self._cells, self._score = cells, 0.0

    def set(self, cell: int, fitness: float | None) -> None:
        """Put a fitness into a cell, or with None empty it."""
        self._score -= max(self.held.pop(cell, 0.0), 0.0)
        if fitness is not None:
            self.held[cell] = fitness
            self._score += max(fitness, 0.0)

    def note(self, judged: int) -> None:
        """Add the point of this moment; an earlier one of the same moment is replaced."""
        if not self.held:
            return
        if self.points and self.points[-1].judged == judged:
            self.points.pop()
        best = max(self.held.values())
        self.points.append(Point(judged, len(self.held) / self._cells, max(self._score, 0.0), best))


def progress(history: History, cells: int) -> Mapping[int | None, tuple[Point, ...]]:
    """Return the series of every island by its number, and under None that of the best of all islands in each cell.

    A series has a point where it changed, and at most 500, evenly thinned; the last one is always there.
    """
    whole, islands = _Tally(cells), dict[int, _Tally]()
    for offer in history.offers():
        island = islands.setdefault(offer.island, _Tally(cells))
        changed = _take(island, offer)
        for cell in changed:
            whole.set(cell, max((one.held[cell] for one in islands.values() if cell in one.held), default=None))
        if changed:
            island.note(offer.judged)
            whole.note(offer.judged)
    series: dict[int | None, _Tally] = {None: whole}
    series |= {number: islands[number] for number in sorted(islands)}
    return {number: _thinned(tally.points) for number, tally in series.items()}


def _take(island: _Tally, offer: Offer) -> list[int]:
    """Do what an offer says and return the cells that changed."""
    if offer.elite is None:
        emptied = list(island.held)
        for cell in emptied:
            island.set(cell, None)
        return emptied
    cell, fitness = offer.elite.cell, offer.elite.fitness
    if cell in island.held and fitness <= island.held[cell]:
        return []
    island.set(cell, fitness)
    return [cell]


def _thinned(points: list[Point]) -> tuple[Point, ...]:
    every = max(1, -(-len(points) // MOST))
    return tuple(points[(len(points) - 1) % every :: every])
