"""Rebuilds how a run's grids came about: every offer of a method to a cell, in order, from evaluations and events."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from archives.archive import Archive
from archives.grid import Grid
from archives.nouns import Elite, Row
from archives.sqlite.typed import value

ISLANDS = 1000  # at most: a stranger's archive may name any number

_JUDGED = """
select e.id, e.method, e.fitness, e.measures, e.created, e.proposal, p.island, m.flags, m.origin
from evaluations e join methods m on m.id = e.method left join proposals p on p.id = e.proposal
where e.split = 'dev' and e.status != 'LOST' order by e.id
"""
_MIXED = (
    "select kind, island, method, value, at from events where kind in ('migration', 'reset') and method is not null order by id"
)
_ISLANDS = "select island from elites union select island from proposals order by island limit ?"


@dataclass(frozen=True)
class Offer:
    """A method that is offered to its cell; without an elite, the emptying of an island.

    Attributes:
        judged: bred methods that had been judged by then.
    """

    judged: int
    island: int
    elite: Elite | None


class History:
    """The offers of a run on a grid, which need not be the one it was searched with.

    Baselines and methods that were added by hand are offered to every island, bred ones to theirs; what migrated or founded an
    island again is offered there. Flagged methods never are. In a merged archive nothing is emptied.

    Attributes:
        exact: whether the archive says when everything happened; older and merged ones have only clocks to go by.
        missing: what could not be offered: a method's id, and the measure that was not recorded of it (or is not finite).
    """

    def __init__(self, archive: Archive, grid: Grid) -> None:
        self._grid = grid
        self._judged = archive.rows(_JUDGED)
        self._mixed = archive.rows(_MIXED)
        self._islands = [value(row, "island", int) for row in archive.rows(_ISLANDS, [ISLANDS])]
        self._merged = bool(archive.rows("select 1 from events where kind = 'merge' limit 1"))
        self.exact = not self._merged and all(row["value"] is not None for row in self._mixed)
        self._known: dict[str, tuple[int, float]] = {}  # method -> its cell and fitness
        self._seeds: list[str] = []
        self.missing: dict[str, str] = {}

    def offers(self) -> Iterator[Offer]:
        """Yield the offers, oldest first."""
        self._known, self._seeds, self.missing = {}, [], {}
        judged, mixed = 0, iter(self._mixed)
        next_ = next(mixed, None)
        for row in self._judged:
            while next_ is not None and not self._merged and self._is_before(next_, judged, row):
                yield from self._mix(next_, judged)
                next_ = next(mixed, None)
            bred = row["island"] is not None
            judged += bred
            method = value(row, "method", str)
            if row["fitness"] is None or row["flags"] or not self._learn(row, method):
                continue
            own = [value(row, "island", int)] if bred else []
            if value(row, "origin", str) in ("seed", "added"):
                self._seeds.append(method)
                own = self._islands
            for island in own:
                yield self._offer(judged, island, method)
        while next_ is not None:
            yield from self._mix(next_, judged)
            next_ = next(mixed, None)

    def offered(self, elite: Elite) -> list[Offer]:
        """Return the offer of an elite of another grid to its island, after all others; none when it lies nowhere."""
        return [self._offer(len(self._judged), elite.island, elite.method)] if elite.method in self._known else []

    def _is_before(self, event: Row, judged: int, row: Row) -> bool:
        """Tell whether an event happened before the next method was judged; older runs have only clocks to go by."""
        if event["value"] is not None:
            return value(event, "value", float) <= judged  # type: ignore[no-any-return]
        return value(event, "at", str) < value(row, "created", str)  # type: ignore[no-any-return]

    def _learn(self, row: Row, method: str) -> bool:
        """Remember where a method lies, unless a measure is missing."""
        measures = value(row, "measures", dict[str, float])
        try:
            self._known[method] = self._grid.cell(measures), value(row, "fitness", float)
        except (KeyError, ValueError):
            self.missing[method] = _lacking(self._grid, measures)
            return False
        return True

    def _mix(self, event: Row, judged: int) -> Iterator[Offer]:
        island, method = value(event, "island", int), value(event, "method", str)
        if event["kind"] == "reset" and not self._merged:
            yield Offer(judged, island, None)
            for seed in self._seeds:
                yield self._offer(judged, island, seed)
        if method in self._known:
            yield self._offer(judged, island, method)

    def _offer(self, judged: int, island: int, method: str) -> Offer:
        cell, fitness = self._known[method]
        return Offer(judged, island, Elite(island, cell, method, fitness))


def _lacking(grid: Grid, measures: Mapping[str, float]) -> str:
    """Return the first measure of a grid that places a method nowhere."""
    for measure in grid.measures:
        try:
            measure.bin(measures[measure.name])
        except (KeyError, ValueError):
            return measure.name
    return ""


def elites(history: History, again: Iterable[Elite] = ()) -> list[Elite]:
    """Return the elites that a history ends with, by island and cell; the methods of `again` are offered once more then."""
    held: dict[tuple[int, int], Elite] = {}
    for offer in itertools.chain(history.offers(), (offer for elite in again for offer in history.offered(elite))):
        if offer.elite is None:
            held = {place: elite for place, elite in held.items() if place[0] != offer.island}
            continue
        place = offer.island, offer.elite.cell
        if place not in held or offer.elite.fitness > held[place].fitness:
            held[place] = offer.elite
    return [held[place] for place in sorted(held)]


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
