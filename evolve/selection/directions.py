"""Draws directions, deliberately vague lines, from a population on each island; a dozen come from the literature.

A direction is drawn the more often the more of its children became elites. One that produced enough of them earns an offspring,
which a model writes, and the worst of an island retires when there are too many.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from fitness.nouns import Direction
from fitness.tasks.directions import LITERATURE

LIVE = 8  # directions of an island at once, unless it was dealt more
EARNS = 3  # elites that earn a direction an offspring, each time
FAIR = 6  # tries before a direction may be retired for being worse than others
PRIOR_STRENGTH = 4.0  # tries that the prior of a direction's value counts for


@dataclass
class Record:
    """A direction's record: how many proposals of it ended, and how many of their children became elites."""

    direction: Direction
    tried: int = 0
    placed: int = 0

    def value(self, usual: float) -> float:
        """Return the expected share of tries that become elites: the mean of a Beta posterior whose prior's is the usual share.

        So a direction that was never tried is neither better nor worse than others: to try it is what novelty is for.
        """
        return (self.placed + PRIOR_STRENGTH * usual) / (self.tried + PRIOR_STRENGTH)


@dataclass(frozen=True)
class Ballot:
    """The directions of an island, the sums of their weights in a draw, and how good each is beside the best, from 0 to 1."""

    directions: list[Direction]
    cumulative: list[float]
    ranks: list[float]

    def draw(self, rng: random.Random) -> tuple[Direction, float]:
        """Draw a direction, with its rank."""
        place = rng.choices(range(len(self.directions)), cum_weights=self.cumulative)[0]
        return self.directions[place], self.ranks[place]


@dataclass
class _Home:
    """The directions that live on an island, by name, how many there may be, and those that are owed an offspring."""

    live: dict[str, Record]
    most: int
    owed: dict[str, None] = field(default_factory=dict)


class Directions:
    """The directions of a run: those that live on each island, and the record of every one that ever lived."""

    def __init__(self, islands: int, directions: Sequence[Direction]) -> None:
        self._records = {d.name: Record(d) for d in directions}
        self._homes = [self._dealt(island, islands) for island in range(islands)]
        self._all = Record(Direction("all", "", ()))

    @property
    def all(self) -> tuple[Direction, ...]:
        """Every direction, also the retired, in the order they came."""
        return tuple(record.direction for record in self._records.values())

    def live(self, island: int) -> list[Direction]:
        """Return the directions of an island."""
        return [record.direction for record in self._homes[island].live.values()]

    def ballot(self, island: int, rarity: Callable[[int], float], fits: Callable[[Direction], bool]) -> Ballot:
        """Return what draws a direction of an island: as likely as it is good, and as it is rare, a factor given its tries.

        Of those that fit; of all when none does.
        """
        live, usual = list(self._homes[island].live.values()), self._usual
        records = [record for record in live if fits(record.direction)] or live
        values = [record.value(usual) for record in records]
        weights = [value * rarity(record.tried) for value, record in zip(values, records)]
        best = max(values)
        return Ballot([r.direction for r in records], list(accumulate(weights)), [value / best for value in values])

    def learn(self, name: str, island: int, placed: bool) -> None:
        """Count a proposal that ended; every few elites a direction that lives on the island is owed an offspring there."""
        record, home = self._records.get(name), self._homes[island]
        if record is None:
            return
        for counted in (record, self._all):
            counted.tried += 1
            counted.placed += placed
        if placed and record.placed % EARNS == 0 and name in home.live:
            home.owed[name] = None

    def owed(self, island: int) -> Direction | None:
        """Return the direction that has waited longest for its offspring, or None."""
        return next((self._records[name].direction for name in self._homes[island].owed), None)

    def varied(self, name: str, island: int) -> None:
        """Remember that a model was asked for a direction's offspring."""
        self._homes[island].owed.pop(name, None)

    def add(self, direction: Direction, island: int) -> None:
        """Let a new direction live on an island; the worst one there retires when there are too many."""
        if direction.name in self._records:
            return
        self._records[direction.name] = Record(direction)
        home = self._homes[island]
        home.live[direction.name] = self._records[direction.name]
        if len(home.live) > home.most:
            worst = self._worst(home, direction.name)
            del home.live[worst]
            home.owed.pop(worst, None)

    @property
    def _usual(self) -> float:
        """The share of tries that become elites, whatever their direction: the posterior mean under Beta(1, 2)."""
        return (self._all.placed + 1) / (self._all.tried + 3)

    def _worst(self, home: _Home, newest: str) -> str:
        """Return who is to retire: the worst that was tried fairly; not the newest, nor the last one of the literature."""
        classics = [name for name, record in home.live.items() if record.direction.origin == LITERATURE]
        spared = {newest, *(classics if len(classics) == 1 else ())}
        records = [
            (record.tried < FAIR, record.value(self._usual), name) for name, record in home.live.items() if name not in spared
        ]
        return min(records, key=lambda entry: entry[:2])[2]

    def _dealt(self, island: int, islands: int) -> _Home:
        """Deal the directions out in turn, so that islands do not think alike; where there are too few, an island holds all."""
        held = [r for i, r in enumerate(self._records.values()) if i % islands == island] or list(self._records.values())
        return _Home({record.direction.name: record for record in held}, max(LIVE, len(held)))
