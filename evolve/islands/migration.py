"""Defines migration and reset: which island sends its best elite to which, and which start again from whose."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from archives.nouns import Elite
from evolve.islands.islands import Islands

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


def migrants(islands: Islands, routes: Iterable[Route]) -> list[tuple[int, Elite]]:
    """Return (target island, elite): the best elite of each route's first island goes to its second."""
    return [(target, islands[source].ranked[-1]) for source, target in routes if islands[source]]


def worst_half(islands: Islands) -> list[int]:
    """Return the islands to reset: the half whose best elite is least fit (the smaller half when odd)."""
    best = [island.ranked[-1].fitness if island else float("-inf") for island in islands]
    return sorted(range(len(best)), key=best.__getitem__)[: len(best) // 2]


def founder(islands: Islands, target: int, resetting: Sequence[int], rng: random.Random) -> Elite | None:
    """Return the elite that a cleared island starts from: the best of a surviving island, drawn at random."""
    surviving = [i for i in range(len(islands)) if i not in resetting and i != target and islands[i]]
    return islands[rng.choice(surviving)].ranked[-1] if surviving else None
