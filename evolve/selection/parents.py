"""Draws parents by rank, visits and curiosity, in a time that does not depend on how many there are."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

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


def _step(count: int) -> float:
    """Return log2 of how much likelier each of so many is drawn than the one before it."""
    return SELECTION_PRESSURE / max(1, count - 1)


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
