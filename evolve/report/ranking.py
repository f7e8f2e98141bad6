"""The leaderboard as data: every judged method with its scores and where it came from."""

from __future__ import annotations

from dataclasses import dataclass

from archives.archive import Archive
from archives.nouns import Row
from evolve.report.rows import integer, maybe_integer, maybe_real, text
from evolve.report.wording import label

_RANKING = """
select l.*, p.operator, p.direction from leaderboard l
left join (select method, min(id) as first from proposals where method is not null group by method) o on o.method = l.method
left join proposals p on p.id = o.first
where {where} order by l.fitness is null, l.fitness desc, l.pgr desc, l.method limit ?
"""


@dataclass(frozen=True)
class Ranked:
    """One row of the leaderboard.

    Attributes:
        fitness: lower confidence bound on dev instances, or None when the race stopped it before it had one.
        pgr: mean on dev instances, which the search looked at; `fresh_pgr`: mean on instances drawn afterwards.
        inflation: the first minus the second, None before there is one.
        flags: the probes that failed it, separated by spaces.
        island, cell: where it is an elite, if it is.
        operator, direction: how it was made; empty for seeds.
    """

    method: str
    name: str
    origin: str
    fitness: float | None
    pgr: float | None
    pgr_low: float | None
    pgr_high: float | None
    fresh_pgr: float | None
    fresh_low: float | None
    fresh_high: float | None
    inflation: float | None
    evaluations: int
    trials: int
    usd: float | None
    flags: str
    island: int | None
    cell: int | None
    operator: str
    direction: str

    @property
    def label(self) -> str:
        """What people call it."""
        return label(self.name, self.method)


def ranking(archive: Archive, limit: int = -1, where: str = "1", values: tuple[object, ...] = ()) -> tuple[Ranked, ...]:
    """Return the best `limit` methods (-1: all) that were judged OK, best first."""
    return tuple(_ranked(row) for row in archive.rows(_RANKING.format(where=where), [*values, limit]))


def ranked(archive: Archive, method: str) -> Ranked | None:
    """Return one method's row of the leaderboard, or None when it has none."""
    rows = ranking(archive, 1, "l.method = ?", (method,)) if method else ()
    return rows[0] if rows else None


def tried(archive: Archive) -> int:
    """Return how many bred methods have been judged: what selection has had to choose from."""
    row = archive.rows(
        "select count(distinct e.method) as n from evaluations e join methods m on m.id = e.method "
        "where m.origin = 'search' and e.split = 'dev' and e.status != 'LOST'"
    )[0]
    return integer(row, "n")


def _ranked(row: Row) -> Ranked:
    return Ranked(
        method=text(row, "method"),
        name=text(row, "name"),
        origin=text(row, "origin"),
        fitness=maybe_real(row, "fitness"),
        pgr=maybe_real(row, "pgr"),
        pgr_low=maybe_real(row, "pgr_low"),
        pgr_high=maybe_real(row, "pgr_high"),
        fresh_pgr=maybe_real(row, "fresh_pgr"),
        fresh_low=maybe_real(row, "fresh_low"),
        fresh_high=maybe_real(row, "fresh_high"),
        inflation=maybe_real(row, "inflation"),
        evaluations=integer(row, "evaluations"),
        trials=integer(row, "trials"),
        usd=maybe_real(row, "usd"),
        flags=text(row, "flags"),
        island=maybe_integer(row, "island"),
        cell=maybe_integer(row, "cell"),
        operator=text(row, "operator"),
        direction=text(row, "direction"),
    )
