"""Draws parents by rank, visits and curiosity, in a time that does not depend on how many there are."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence

from evolve.islands.islands import Islands
from evolve.selection.choice import Choice
from evolve.selection.novelty import Novelty
from evolve.selection.strategies import Strategy

CURIOUS = 3.0  # curiosity score (Cully & Demiris 2018) at which a cell's elite is drawn twice as often
CURIOSITY_STRENGTH = 1.0  # log2 of that
SELECTION_PRESSURE = 4.0  # log2 of how much likelier the fittest elite is drawn than the least fit
GREEDY_SHARE = 0.5  # share of a population's children that the fittest is the parent of, whatever its appeal
TRIES = 64  # draws by rank until one is taken whatever its appeal

FirstParent = tuple[str, int | None, float]  # a method, the cell it holds, if any, and its value as a parent
Draw = Callable[[Sequence[str], int, tuple[str, ...], random.Random], list[str]]  # of methods at most so many, without some


class ParentPool:
    """Who may be a first parent, from the least fit to the fittest: methods with the cells they hold, if any."""

    def __init__(
        self, count: int, at: Callable[[int], tuple[str, int | None]], appeal: Callable[[str, int | None], float]
    ) -> None:
        self._count, self._at, self._appeal = count, at, appeal

    def fittest(self) -> FirstParent:
        """Return the fittest."""
        return self._first_parent(self._count - 1)

    def draw(self, rng: random.Random) -> FirstParent:
        """Draw one.

        It is as likely as 2 to the power of its appeal and its step in rank: drawn by rank in closed form, then kept with a
        probability, so that the time does not depend on how many there are.
        """
        for _ in range(TRIES):
            place = by_rank(self._count, rng.random())
            if rng.random() < 2.0 ** (self._appeal(*self._at(place)) - CURIOSITY_STRENGTH):
                break
        return self._first_parent(place)

    def _first_parent(self, place: int) -> FirstParent:
        method, cell = self._at(place)
        return method, cell, (_step(self._count) * place + self._appeal(method, cell)) / SELECTION_PRESSURE


class Parents:
    """Who may be a parent on each island, by the strategy of the search.

    The curiosity of a cell (Cully & Demiris 2018) grows by 1 with every child of its elites that is placed, and falls by .5
    with any other.
    """

    def __init__(self, islands: Islands, seeds: Sequence[str], strategy: Strategy, novelty: Novelty) -> None:
        self._islands, self._seeds, self._strategy, self._novelty = islands, seeds, strategy, novelty
        self._visits: Counter[Hashable] = Counter()  # of methods that look alike
        self._curiosity: defaultdict[tuple[int, int], float] = defaultdict(float)  # of an island's cell
        self._last, self._newest = "", 0  # the newest child that was judged OK, and its proposal

    def used(self, choice: Choice) -> None:
        """Count a visit of the first parent."""
        self._visits[self._novelty.looks(choice.parents[0])] += 1

    def learn(self, choice: Choice, placed: bool) -> None:
        """Count what came of a child of a cell's elite."""
        if choice.cell is not None:
            self._curiosity[choice.island, choice.cell] += 1.0 if placed else -0.5

    def judged(self, method: str, proposal: int) -> None:
        """Remember a child that was judged OK; the one of the newest proposal is the last."""
        if proposal > self._newest:
            self._newest, self._last = proposal, method

    def first(self, island: int, rng: random.Random) -> FirstParent:
        """Draw the first parent: of a population the fittest every other time, so that a good find is followed up."""
        pool = self._pool(island)
        greedy = self._strategy.parents == "population" and rng.random() < GREEDY_SHARE
        return pool.fittest() if greedy else pool.draw(rng)

    def company(self, island: int) -> Sequence[str]:
        """Return who may be another parent, or an inspiration: the island's methods; the seeds where only one is kept."""
        return self._seeds if self._strategy.pool == 1 else self._islands[island].methods

    def _pool(self, island: int) -> ParentPool:
        """Return who may be a first parent."""
        match self._strategy.parents:
            case "seeds":
                return ParentPool(len(self._seeds), lambda place: (self._seeds[place], None), self._appeal)
            case "best seed":
                return ParentPool(1, lambda _: (self._seeds[-1], None), self._appeal)
            case "last" if self._last:
                return ParentPool(1, lambda _: (self._last, None), self._appeal)
        ranked, gridded = self._islands[island].ranked, self._strategy.pool is None

        def at(place: int) -> tuple[str, int | None]:
            return ranked[place].method, ranked[place].cell if gridded else None

        return ParentPool(len(ranked), at, lambda method, cell: self._appeal(method, cell, island))

    def _appeal(self, method: str, cell: int | None, island: int = 0) -> float:
        """Return log2 of how much likelier a method is drawn for its visits (at most 0) and its cell's curiosity."""
        rarity = math.log2(self._novelty.recent.rarity(self._visits[self._novelty.looks(method)]))
        return rarity if cell is None else rarity + curiosity_bonus(self._curiosity.get((island, cell), 0.0))


def _step(count: int) -> float:
    """Return log2 of how much likelier each of so many is drawn than the one before it."""
    return SELECTION_PRESSURE / max(1, count - 1)


def rank_weight(count: int, place: int) -> float:
    """Return how much likelier than the least fit the one at a place, of so many, is drawn."""
    return float(2.0 ** (_step(count) * place))


def by_rank(count: int, share: float) -> int:
    """Return the place, of so many from the least fit to the fittest, below which this share of the weight lies."""
    step = _step(count)
    whole = 2.0 ** (step * count) - 1.0
    return min(int(math.log2(1.0 + share * whole) / step), count - 1)


def curiosity_bonus(curiosity: float) -> float:
    """Return log2 of how much likelier a cell's elite is drawn for its curiosity: from -1 (half as often) to 1 (twice)."""
    return CURIOSITY_STRENGTH * max(-CURIOUS, min(CURIOUS, curiosity)) / CURIOUS


def draw_by_rank(methods: Sequence[str], most: int, without: tuple[str, ...], rng: random.Random) -> list[str]:
    """Draw at most so many different methods by rank, given from the least fit to the fittest."""
    drawn: dict[str, None] = {}
    for _ in range(TRIES if methods else 0):
        if len(drawn) == most:
            return list(drawn)
        method = methods[by_rank(len(methods), rng.random())]
        if method not in without:
            drawn[method] = None
    return draw_evenly(methods, most, without, rng)


def draw_evenly(methods: Sequence[str], most: int, without: tuple[str, ...], rng: random.Random) -> list[str]:
    """Draw at most so many different methods; the time does not depend on how many there are."""
    drawn = [methods[place] for place in rng.sample(range(len(methods)), min(most + len(without), len(methods)))]
    return [method for method in dict.fromkeys(drawn) if method not in without][:most]
