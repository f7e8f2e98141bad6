"""Who may be a parent: drawn by rank, visits and curiosity, in a time that does not depend on how many there are."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

CURIOUS = 3.0  # the curiosity score at which a cell's elite is drawn twice as often
LURE = 1.0  # log2 of that
PRESSURE = 4.0  # log2 of how much likelier the fittest elite is drawn than the least fit
GREED = 0.5  # share of a population's children that the fittest is the parent of, whatever its appeal
TRIES = 64  # draws by rank until one is taken whatever its appeal

Breeder = tuple[str, int | None, float]  # a method, the cell it holds, if any, and its value as a parent
Draw = Callable[[Sequence[str], int, tuple[str, ...], random.Random], list[str]]  # of methods at most so many, without some


class Breeders:
    """Who may be a first parent, from the least fit to the fittest: methods with the cells they hold, if any."""

    def __init__(
        self, count: int, at: Callable[[int], tuple[str, int | None]], appeal: Callable[[str, int | None], float]
    ) -> None:
        self._count, self._at, self._appeal = count, at, appeal

    def fittest(self) -> Breeder:
        """Return the fittest."""
        return self._breeder(self._count - 1)

    def draw(self, rng: random.Random) -> Breeder:
        """Draw one.

        It is as likely as 2 to the power of its appeal and its step in rank: drawn by rank in closed form, then kept with a
        probability, so that the time does not depend on how many there are.
        """
        for _ in range(TRIES):
            place = by_rank(self._count, rng.random())
            if rng.random() < 2.0 ** (self._appeal(*self._at(place)) - LURE):
                break
        return self._breeder(place)

    def _breeder(self, place: int) -> Breeder:
        method, cell = self._at(place)
        return method, cell, (_step(self._count) * place + self._appeal(method, cell)) / PRESSURE


def _step(count: int) -> float:
    """Return log2 of how much likelier each of so many is drawn than the one before it."""
    return PRESSURE / max(1, count - 1)


def by_rank(count: int, share: float) -> int:
    """Return the place, of so many from the least fit to the fittest, below which this share of the weight lies."""
    step = _step(count)
    whole = 2.0 ** (step * count) - 1.0
    return min(int(math.log2(1.0 + share * whole) / step), count - 1)


def lure(curiosity: float) -> float:
    """Return log2 of how much likelier a cell's elite is drawn for its curiosity: from -1 (half as often) to 1 (twice)."""
    return LURE * max(-CURIOUS, min(CURIOUS, curiosity)) / CURIOUS


def mates(methods: Sequence[str], most: int, without: tuple[str, ...], rng: random.Random) -> list[str]:
    """Draw at most so many different methods by rank, given from the least fit to the fittest."""
    drawn: dict[str, None] = {}
    for _ in range(TRIES if methods else 0):
        if len(drawn) == most:
            return list(drawn)
        method = methods[by_rank(len(methods), rng.random())]
        if method not in without:
            drawn[method] = None
    return few(methods, most, without, rng)


def few(methods: Sequence[str], most: int, without: tuple[str, ...], rng: random.Random) -> list[str]:
    """Draw at most so many different methods; the time does not depend on how many there are."""
    drawn = [methods[place] for place in rng.sample(range(len(methods)), min(most + len(without), len(methods)))]
    return [method for method in dict.fromkeys(drawn) if method not in without][:most]
