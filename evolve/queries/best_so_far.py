"""Returns PGR so far: every evaluation, and the best method after each."""

from __future__ import annotations

import math
from dataclasses import dataclass

from archives.archive import Archive
from archives.sqlite.typed import maybe_real, text
from evolve.queries.ends import ends, instances
from evolve.text import label

_DOTS = 500  # points of the curve, at most


@dataclass(frozen=True)
class Best:
    """A method that was the fittest bred one from this evaluation on; ends of the interval are None where there is none.

    Attributes:
        instances: dev ones of each search domain.
    """

    evaluation: int
    method: str
    label: str
    fitness: float
    pgr: float
    pgr_low: float | None
    pgr_high: float | None
    instances: int = 0


@dataclass(frozen=True)
class Dot:
    """The mean dev PGR of one evaluation; `whole` when no race cut it short."""

    evaluation: int
    pgr: float
    whole: bool


@dataclass(frozen=True)
class Curve:
    """PGR over evaluations.

    Attributes:
        evaluations: how many methods were judged.
        best: the improvements, in order.
        dots: evaluations that ended OK, at most 500 of them, evenly thinned.
    """

    evaluations: int
    best: tuple[Best, ...]
    dots: tuple[Dot, ...]


def curve(archive: Archive) -> Curve:
    """Return PGR over the dev evaluations of bred methods."""
    rows = archive.rows(
        "select e.method, e.status, e.fitness, e.pgr, e.pgr_low, e.pgr_high, e.trials, e.domain, m.name "
        "from evaluations e join methods m on m.id = e.method "
        "where e.split = 'dev' and m.origin not in ('seed', 'added') and e.status != 'LOST' order by e.id"
    )
    best: list[Best] = []
    dots: list[Dot] = []
    for number, row in enumerate(rows, 1):
        pgr, fitness = maybe_real(row, "pgr"), maybe_real(row, "fitness")
        if pgr is None:
            continue
        dots.append(Dot(number, pgr, fitness is not None))
        if fitness is not None and (not best or fitness > best[-1].fitness):
            name = label(text(row, "name"), text(row, "method"))
            best.append(Best(number, text(row, "method"), name, fitness, pgr, **ends(row), instances=instances(row)))
    every = max(1, math.ceil(len(dots) / _DOTS))
    return Curve(len(rows), tuple(best), tuple(dots[::every]))
