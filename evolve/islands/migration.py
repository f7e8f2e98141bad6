"""Defines migration topologies: which island sends its best elite to which."""

from __future__ import annotations

import random
from collections.abc import Callable

Route = tuple[int, int]  # from an island, to another


def ring(islands: int, rng: random.Random) -> list[Route]:
    """Every island sends to the next one."""
    return [(island, (island + 1) % islands) for island in range(islands)]


def complete(islands: int, rng: random.Random) -> list[Route]:
    """Every island sends to every other."""
    return [(source, target) for source in range(islands) for target in range(islands) if source != target]


def drawn(islands: int, rng: random.Random) -> list[Route]:
    """Every island sends to one other, drawn anew each time."""
    return [(island, (island + rng.randrange(1, islands)) % islands) for island in range(islands)]


TOPOLOGIES: dict[str, Callable[[int, random.Random], list[Route]]] = {"ring": ring, "complete": complete, "random": drawn}
