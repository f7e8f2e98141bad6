"""Fitness over several search domains as a vector, and the methods that no other beats on all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archives.archive import Archive


@dataclass(frozen=True)
class Vector:
    """A method's mean dev PGR on each search domain, to three decimals."""

    method: str
    name: str
    fitness: float
    pgrs: Mapping[str, float]

    def dominates(self, other: Vector) -> bool:
        """Tell whether it is as good as another on every domain, and better on one."""
        pairs = [(pgr, other.pgrs[domain]) for domain, pgr in self.pgrs.items() if domain in other.pgrs]
        return bool(pairs) and all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def vectors(archive: Archive) -> list[Vector]:
    """Return the vector of every method that has a fitness and no flag, the fittest first; held-out domains are not in it."""
    return archive.nouns(Vector, "vectors")


def pareto(archive: Archive) -> list[Vector]:
    """Return the Pareto front over the search domains, the fittest first: what the view pareto holds."""
    front: list[Vector] = []
    found = vectors(archive)
    for vector in sorted(found, key=lambda one: sum(one.pgrs.values()), reverse=True):  # who dominates comes first
        if not any(other.dominates(vector) for other in front):
            front.append(vector)
    kept = {vector.method for vector in front}
    return [vector for vector in found if vector.method in kept]
