"""Sorts and filters the leaderboard by column, domain, island, direction or operator, and finds the Pareto front."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from archives.archive import Archive
from archives.sqlite.typed import maybe_real, text
from evolve.errors import UsageError
from evolve.queries.leaderboard import BEST_FIRST, LeaderboardRow, ranking

_FRESH = """(select f.pgr from evaluations f where f.method = e.method and f.split = 'fresh' and f.domain = e.domain
    order by f.id desc limit 1)"""
_USD = "(select sum(s.usd) from proposals q join spend s on s.proposal = q.id where q.method = e.method)"
_TRIALS = "(select sum(v.trials) from evaluations v where v.method = e.method)"
ORDERS = {
    "fitness": "e.fitness",
    "dev": "e.pgr",
    "low": "e.pgr_low",
    "high": "e.pgr_high",
    "fresh": _FRESH,
    "inflation": f"e.pgr - {_FRESH}",
    "cost": _USD,
    "trials": _TRIALS,
    "seconds": "e.seconds",
    "size": "l.nodes",
    "name": "l.name",
    "newest": "e.id",
}
_ASCENDING = ("name",)
_MADE = "e.method in (select method from proposals where {column} = ? and method is not null)"
_DOMAINS = "select domain, split from evaluations where split in ('dev', 'fresh') group by domain, split order by min(id)"
_ON = """(select avg(t.pgr) from trials t where t.domain = {domain} and t.status = 'OK' and t.evaluation = (
    select max(v.id) from evaluations v where v.method = {method} and v.split = '{split}' and v.status = 'OK'
    and instr('+' || v.domain || '+', '+' || {domain} || '+')))"""
_SCORES = f"""select wanted.value as method, {_ON.format(domain="?2", method="wanted.value", split="dev")} as dev,
    {_ON.format(domain="?2", method="wanted.value", split="fresh")} as fresh from json_each(?1) wanted"""


@dataclass(frozen=True)
class Wanted:
    """What is asked of the leaderboard; what is None or empty is not asked.

    Attributes:
        by: the column to sort by, largest first unless `reverse`; see ORDERS.
        domain: dev and fresh PGR are means over the instances of this domain, and methods without one are left out.
        flagged: only methods that a probe failed, or with False only the others.
        island: only its elites, with the cell that they hold there.
        direction, operator, model: only methods that were made so; `origin`: seed, search, added.
        pareto: only the front over the search domains.
    """

    by: str = "fitness"
    reverse: bool = False
    domain: str | None = None
    flagged: bool | None = None
    island: int | None = None
    direction: str | None = None
    operator: str | None = None
    model: str | None = None
    origin: str | None = None
    pareto: bool = False


def board(archive: Archive, wanted: Wanted, limit: int = -1) -> tuple[LeaderboardRow, ...]:
    """Return the first `limit` methods (-1: all). Raises UsageError for a name that this run does not know."""
    conditions, values = ["1"], list[object]()
    for column in ("direction", "operator", "model"):
        name = getattr(wanted, column)
        if name is not None:
            _check(
                column, name, (text(row, "name") for row in archive.rows(f"select distinct {column} as name from proposals"))
            )
            conditions.append(_MADE.format(column=column))
            values.append(name)
    if wanted.origin is not None:
        conditions.append("l.origin = ?")
        values.append(wanted.origin)
    if wanted.flagged is not None:
        conditions.append("l.flags != ''" if wanted.flagged else "l.flags = ''")
    if wanted.island is not None:
        islands = [row["island"] for row in archive.rows("select distinct island from elites order by island")]
        _check("island", wanted.island, islands)
        conditions.append("e.method in (select method from elites where island = ?)")
        values.append(wanted.island)
    front = {vector.method: vector.pgrs for vector in pareto(archive)} if wanted.pareto else {}
    if wanted.pareto:
        conditions.append("e.method in (select value from json_each(?))")
        values.append(json.dumps(list(front)))
    _check("order", wanted.by, ORDERS)
    order = ORDERS[wanted.by]
    if wanted.domain is not None:
        order = _on_domain(archive, wanted, order, conditions)
    rows = ranking(archive, limit, " and ".join(conditions), tuple(values), _order(wanted, order))
    rows = tuple(replace(row, pgrs=front[row.method]) for row in rows) if wanted.pareto else rows
    return _placed(archive, _scored(archive, rows, wanted.domain), wanted.island)


def _on_domain(archive: Archive, wanted: Wanted, order: str, conditions: list[str]) -> str:
    """Ask for a score on a domain, and return what to sort by there: dev where the search judges on it, else fresh."""
    seen = [(name, text(row, "split")) for row in archive.rows(_DOMAINS) for name in text(row, "domain").split("+")]
    _check("domain", wanted.domain, (name for name, _ in seen))
    domain = "'" + str(wanted.domain).replace("'", "''") + "'"
    dev, fresh = (_ON.format(domain=domain, method="e.method", split=split) for split in ("dev", "fresh"))
    on = dev if (wanted.domain, "dev") in seen else fresh
    conditions.append(f"{on} is not null")
    return {"fitness": on, "dev": dev, "fresh": fresh, "inflation": f"{dev} - {fresh}"}.get(wanted.by, order)


def _order(wanted: Wanted, order: str) -> str:
    if order == ORDERS["fitness"] and not wanted.reverse:
        return BEST_FIRST
    if wanted.by == "fitness" and not wanted.reverse:  # on a domain: a race that was lost early says little
        return f"e.fitness is null, {order} desc, {BEST_FIRST}"
    down = (wanted.by in _ASCENDING) == wanted.reverse
    return f"{order} is null, {order} {'desc' if down else 'asc'}, {BEST_FIRST}"


def _scored(archive: Archive, rows: tuple[LeaderboardRow, ...], domain: str | None) -> tuple[LeaderboardRow, ...]:
    """Return the rows with the PGR on one domain; its interval is not worked out here."""
    if domain is None:
        return rows
    found = archive.rows(_SCORES, [json.dumps([row.method for row in rows]), domain])
    scores = {text(row, "method"): (maybe_real(row, "dev"), maybe_real(row, "fresh")) for row in found}
    return tuple(_on(row, *scores[row.method]) for row in rows)


def _on(row: LeaderboardRow, dev: float | None, fresh: float | None) -> LeaderboardRow:
    inflation = None if dev is None or fresh is None else round(dev - fresh, 3)
    dev, fresh = (None if score is None else round(score, 3) for score in (dev, fresh))
    none = dict.fromkeys(("pgr_low", "pgr_high", "fresh_low", "fresh_high"))
    return replace(row, pgr=dev, fresh_pgr=fresh, inflation=inflation, **none)  # type: ignore[arg-type]  # None is one


def _placed(archive: Archive, rows: tuple[LeaderboardRow, ...], island: int | None) -> tuple[LeaderboardRow, ...]:
    """Return the rows with the cells that they hold on one island."""
    if island is None:
        return rows
    cells = {elite.method: elite.cell for elite in archive.elites() if elite.island == island}
    return tuple(replace(row, island=island, cell=cells[row.method]) for row in rows if row.method in cells)


def _check(what: str, name: object, known: Iterable[object]) -> None:
    """Raise UsageError naming what there is when a name is not among it."""
    names = list(dict.fromkeys(str(one) for one in known if one != ""))
    if str(name) in names:
        return
    near = get_close_matches(str(name), names, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {', '.join(names[:12]) or 'none'}"
    raise UsageError(f"this run has no {what} {str(name)!r}: {hint}")


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
