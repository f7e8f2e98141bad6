"""Returns the leaderboard: every judged method with its scores and where it came from, as the view has it, only quicker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from archives.archive import Archive
from archives.nouns import Row
from archives.sqlite.typed import integer, lenient, maybe_real, text
from evolve.queries.ends import INSTANCES, ends
from evolve.text import label, made_by, one_line

BY_HAND = "(select id from methods where origin != 'search' and origin in ('seed', 'added'))"
BRED, HUMAN = f"e.method not in {BY_HAND}", "e.method in (select id from methods where origin != 'search' and origin = 'seed')"
BEST_FIRST = "e.fitness desc, e.pgr desc, e.method"  # the order of the index evaluations_best

# The newest dev evaluation of each method, when it is OK. The best few are read off the index, and a newer one looked for.
# All are read as they lie (the plus keeps SQLite from the index): few methods have several, and those are found first.
_FEW = """
select e.id from evaluations e left join methods l on l.id = e.method
where e.split = 'dev' and e.status = 'OK' and ({where})
    and not exists (select 1 from evaluations again where again.method = e.method and again.split = 'dev' and again.id > e.id)
order by {order} limit ?
"""
_ALL = """
with again as materialized (
    select method, max(id) as last from evaluations where split = 'dev' group by method having count(*) > 1
)
select e.id from evaluations e left join methods l on l.id = e.method
where +e.split = 'dev' and e.status = 'OK' and ({where})
    and not exists (select 1 from again where again.method = e.method and again.last > e.id)
order by {order} limit ?
"""
_ROWS = f"""
with home as materialized (
    select method, min(island) as island, cell from elites group by method
), search_domain as materialized (
    select domain from evaluations where split = 'dev' order by id limit 1
)
select e.method, l.name, l.origin, l.flags, l.nodes as size, round(e.fitness, 3) as fitness, round(e.pgr, 3) as pgr,
    round(e.pgr_low, 3) as pgr_low, round(e.pgr_high, 3) as pgr_high, round(f.pgr, 3) as fresh_pgr,
    round(f.pgr_low, 3) as fresh_low, round(f.pgr_high, 3) as fresh_high, round(e.pgr - f.pgr, 3) as inflation,
    {INSTANCES.format("e")} as instances, {INSTANCES.format("f")} as fresh_instances,
    (select count(*) from evaluations where method = e.method) as evaluations,
    (select sum(trials) from evaluations where method = e.method) as trials,
    (select round(sum(s.usd), 4) from proposals q join spend s on s.proposal = q.id where q.method = e.method) as usd,
    h.island, h.cell, p.operator, p.model, p.direction, e.seconds
from json_each(?) wanted join evaluations e on e.id = wanted.value join methods l on l.id = e.method
left join evaluations f on f.id = (
    select max(id) from evaluations where method = e.method and split = 'fresh' and domain = (select domain from search_domain)
)
left join proposals p on p.id = (select min(id) from proposals where method = e.method)
left join home h on h.method = e.method
order by wanted.key
"""

# Bred methods that were judged: all with a dev evaluation, without those that are lost and those that nobody bred.
_HELD = "exists (select 1 from evaluations where method = {0} and split = 'dev' and status != 'LOST')"
JUDGED = f"""(select count(*) from (select 1 from evaluations where split = 'dev' group by method))
    - (select count(distinct method) from evaluations e
        where split = 'dev' and status != 'OK' and status = 'LOST' and not {_HELD.format("e.method")})
    - (select count(*) from methods m where id in {BY_HAND} and {_HELD.format("m.id")})"""
FAILED = f"""(select count(distinct method) from evaluations e
    where split = 'dev' and status != 'OK' and status != 'LOST' and {BRED})"""


@dataclass(frozen=True)
class LeaderboardRow:
    """One row of the leaderboard.

    Attributes:
        fitness: lower confidence bound on dev instances, or None when the race stopped it before it had one.
        pgr: mean on dev instances, which the search looked at; `fresh_pgr`: mean on instances drawn afterwards.
        inflation: the first minus the second, None before there is one.
        flags: the probes that failed it, separated by spaces.
        island, cell: where it is an elite, if it is.
        operator, model, direction: how it was made; empty for seeds.
        instances, fresh_instances: of each search domain, behind the dev and the fresh PGR; below pgr.FEWEST without interval.
        size: syntax nodes; `seconds`: what its dev trials took.
        pgrs: mean dev PGR on each search domain, where the front over them is asked for; else empty.
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
    model: str = ""
    size: int = 0
    seconds: float | None = None
    instances: int = 0
    fresh_instances: int = 0
    pgrs: Mapping[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What people call it."""
        return label(self.name, self.method)

    @property
    def made_by(self) -> str:
        """What made it: the operator, with its model where one was asked; of other methods, where it came from."""
        return made_by(self.operator, self.model, self.origin)


def ranking(
    archive: Archive, limit: int = -1, where: str = "1", values: tuple[object, ...] = (), order: str = BEST_FIRST
) -> tuple[LeaderboardRow, ...]:
    """Return the best `limit` methods (-1: all) that were judged OK, best first.

    `where` and `order` are SQL over a method's newest dev evaluation `e` and the method itself, `l`.
    """
    wanted = _FEW if order == BEST_FIRST and limit >= 0 else _ALL
    found = [row["id"] for row in archive.rows(wanted.format(where=where, order=order), [*values, limit])]
    return tuple(_row(row) for row in archive.rows(_ROWS, [json.dumps(found)]))


def _row(row: Row) -> LeaderboardRow:
    dev = ends(row, n=integer(row, "instances"))
    fresh = ends(row, "fresh_low", "fresh_high", integer(row, "fresh_instances"))
    return lenient(LeaderboardRow, row, **dev, **fresh)


def ranked(archive: Archive, method: str) -> LeaderboardRow | None:
    """Return one method's row of the leaderboard, or None when it has none."""
    rows = ranking(archive, 1, "e.method = ?", (method,)) if method else ()
    return rows[0] if rows else None


def tried(archive: Archive) -> int:
    """Return how many bred methods have been judged: what selection has had to choose from."""
    return integer(archive.rows(f"select {JUDGED} as n")[0], "n")


_FRESH = """
select e.method, e.domain, e.pgr from evaluations e join (
    select max(id) as id from evaluations where split = 'fresh' group by method, domain
) newest on newest.id = e.id where e.pgr is not null and e.domain != ? order by e.id
"""
_DEV = """
select e.method, t.domain, avg(t.pgr) as pgr from evaluations e join trials t on t.evaluation = e.id
where e.split = 'dev' and e.status = 'OK' group by e.method, t.domain order by t.domain
"""


@dataclass(frozen=True)
class DomainScores:
    """Mean PGR of methods on single domains.

    Attributes:
        columns: what each number is, such as "math, fresh" or "chat, dev".
        scores: by method, then by column.
    """

    columns: tuple[str, ...]
    scores: Mapping[str, Mapping[str, float]]


def domain_scores(archive: Archive, domain: str) -> DomainScores:
    """Return dev PGR by domain where `domain`, the search domain, is several, and fresh PGR on the other domains."""
    columns: dict[str, None] = {}
    scores: dict[str, dict[str, float]] = {}
    several = archive.rows("select 1 from evaluations where split = 'dev' and instr(domain, '+') limit 1")
    for split, rows in (("dev", archive.rows(_DEV) if several else []), ("fresh", archive.rows(_FRESH, [domain]))):
        for row in rows:
            pgr = maybe_real(row, "pgr")
            if pgr is not None:
                column = f"{one_line(text(row, 'domain'), 24)}, {split}"
                columns[column] = None
                scores.setdefault(text(row, "method"), {})[column] = pgr
    return DomainScores(tuple(columns)[:12], scores)
