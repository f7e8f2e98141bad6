"""Checks an archive: SQLite's own checks, the schema we made, and the rules between the rows of a run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from archives.archive import Archive
from archives.grid import Grid
from archives.history import History, elites
from archives.nouns import ArchiveError
from archives.schema.migrations import migrate
from archives.schema.totals import wrong
from archives.sqlite.typed import value

_MOST = 20  # violations of one rule that are listed
_CELLS = "elites are in their own cell"
_FITTEST = "elites are the best of their cell"


@dataclass(frozen=True)
class Violation:
    """Something that does not hold: the rule's name, and a sentence about where."""

    rule: str
    sentence: str


@dataclass(frozen=True)
class _Rule:
    """A rule: its query returns a row for every violation, whose columns fill the sentence."""

    name: str
    sentence: str
    sql: str


_RULES = (
    _Rule(
        "one run",
        "the archive holds {runs} runs: it must hold one",
        "select runs from (select count(*) as runs from runs) where runs != 1",
    ),
    _Rule(
        "the champion is known",
        "the run names the method {method} as its champion or human best, which the archive does not hold",
        "select substr(method, 1, 12) as method from (select champion as method from runs union select human_best from runs) "
        "where method != '' and method not in (select id from methods)",
    ),
    _Rule(
        "elites are methods",
        "the elite of cell {cell} on island {island} is the method {method}, which the archive does not hold",
        "select island, cell, substr(method, 1, 12) as method from elites where method not in (select id from methods)",
    ),
    _Rule(
        "elites carry no flag",
        "the elite of cell {cell} on island {island}, {method}, is flagged: a flagged method stays out of the grid",
        "select e.island, e.cell, substr(m.id, 1, 12) as method from elites e join methods m on m.id = e.method "
        "where m.flags != ''",
    ),
    _Rule(
        "elites have the fitness of their evaluation",
        "the elite of cell {cell} on island {island}, {method}, has fitness {fitness}, which no dev evaluation of it found",
        "select island, cell, substr(method, 1, 12) as method, fitness from elites e where not exists ("
        "select 1 from evaluations v where v.method = e.method and v.split = 'dev' and v.status = 'OK' "
        "and v.fitness = e.fitness)",
    ),
    _Rule(
        "fitness is finite",
        "evaluation {id} of {method} has fitness {fitness}: only finite numbers can be compared",
        "select id, substr(method, 1, 12) as method, fitness from evaluations "
        "where fitness is not null and not (abs(fitness) <= 1e15)",
    ),
    _Rule(
        "a failure has no score",
        "evaluation {id} of {method} ended as {status} and has a score: a failure is a state, never a number",
        "select id, substr(method, 1, 12) as method, status from evaluations "
        "where status != 'OK' and (fitness is not null or pgr is not null)",
    ),
    _Rule(
        "evaluations hold their trials",
        "evaluation {id} of {method} says {said} trials, but the archive holds {held}",
        "select e.id, substr(e.method, 1, 12) as method, e.trials as said, count(t.evaluation) as held "
        "from evaluations e left join trials t on t.evaluation = e.id group by e.id having said != held",
    ),
    _Rule(
        "what is done was judged",
        "proposal {id} is done and has source, but it became no method",
        "select id from proposals where state = 'done' and source is not null and method is null",
    ),
    _Rule(
        "what is done has an evaluation",
        "proposal {id} is done, but the archive holds no evaluation of its method {method}",
        "select p.id, substr(p.method, 1, 12) as method from proposals p where p.state = 'done' and p.method is not null "
        "and not exists (select 1 from evaluations e where e.method = p.method and e.proposal = p.id)",
    ),
    _Rule(
        "parents are known",
        "proposal {id} names the parent {parent}, which the archive does not hold",
        "select p.id, substr(parent.value, 1, 12) as parent from proposals p, "
        "json_each(case when json_valid(p.parents) then p.parents else '[]' end) parent "
        "where parent.value not in (select id from methods)",
    ),
    _Rule(
        "spending is never negative",
        "entry {id} of spend holds a negative number or no number: what was spent cannot be summed",
        "select id from spend where not (calls >= 0 and tokens_in >= 0 and tokens_out >= 0 and cached >= 0 and reasoning >= 0 "
        "and seconds >= 0 and coalesce(usd, 0) >= 0 and coalesce(usd, 0) <= 1e15)",
    ),
    _Rule(
        "no reply is paid twice",
        "proposal {proposal} holds {held} answers to its call {turn}: one of them was counted twice",
        "select proposal, turn, count(*) as held from spend where kind = 'model' and reply != '' and proposal is not null "
        "group by proposal, turn having count(*) > 1",
    ),
    _Rule(
        "spending adds up",
        "the view costs says {said} dollars and {calls} calls, the rows of spend {held} and {entries}",
        "select s.said, s.calls, r.held, r.entries from (select total(usd) as said, total(calls) as calls from costs) s, ("
        "select total(usd) as held, (select total(calls) from spend where kind = 'model') as entries from ("
        "select case when count(*) = count(usd) then sum(usd) end as usd from spend where kind = 'model' group by model)) r "
        "where abs(s.said - r.held) > 1e-6 * (1 + r.held) or s.calls != r.entries",
    ),
    _Rule(
        "arms add up",
        "the arm {operator} {model} on island {island} has totals that its proposals and calls do not come to",
        wrong("arm_totals"),
    ),
    _Rule(
        "directions add up",
        "the direction {direction} has totals that its proposals do not come to",
        wrong("direction_totals"),
    ),
    _Rule(
        "the journal knows its proposals",
        "entry {id} of the journal is a step of proposal {proposal}, which the archive does not hold",
        "select id, proposal from journal where proposal is not null and proposal not in (select id from proposals)",
    ),
    _Rule(
        "the journal knows its methods",
        "entry {id} of the journal names the method {method}, which the archive does not hold",
        "select id, substr(method, 1, 12) as method from journal "
        "where method is not null and method not in (select id from methods)",
    ),
)


def check(archive: Archive, grid: Grid | None) -> tuple[Violation, ...]:
    """Return what does not hold; without a grid (its task is not known here) elites are not held against their cells."""
    with archive.transaction():
        found = [*_guarded("the file", partial(_file, archive)), *_guarded("the schema", partial(_schema, archive))]
        for rule in _RULES:
            found += _guarded(rule.name, partial(_broken, archive, rule))
        if grid is not None:
            found += _guarded(_CELLS, partial(_cells, archive, grid))
            found += _guarded(_FITTEST, partial(_best, archive, grid))
    return tuple(found)


def _guarded(name: str, find: Callable[[], list[Violation]]) -> list[Violation]:
    """Return what a check finds; one that the archive's state makes impossible is a violation itself."""
    try:
        return find()
    except ArchiveError as error:
        return [Violation(name, f"it could not be checked that {name}: {error}" if " " in name else str(error))]


def _file(archive: Archive) -> list[Violation]:
    """Return what SQLite finds wrong with pages, indexes, types and foreign keys."""
    pages = archive.rows(f"pragma integrity_check({_MOST})")
    damage = [str(next(iter(row.values()))) for row in pages]
    found = [Violation("the file", f"SQLite finds damage: {line}") for line in damage if line != "ok"]
    for row in archive.rows("select * from pragma_foreign_key_check limit ?", [_MOST]):
        child = f"row {row['rowid']} of {row['table']}" if row["rowid"] is not None else f"a row of {row['table']}"
        found.append(Violation("the file", f"{child} refers to a row of {row['parent']} that is not there"))
    return found


def _schema(archive: Archive) -> list[Violation]:
    """Return which tables, views and triggers are not as evolve makes them, and triggers that it does not make."""
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    migrate(fresh)
    query = "select type, name, sql from sqlite_master"
    ours = {(kind, name): _plain(sql) for kind, name, sql in fresh.execute(query) if _is_made_by_us(name)}
    fresh.close()
    held = {(str(row["type"]), str(row["name"])): _plain(row["sql"]) for row in archive.rows(query)}
    found = [
        f"the {kind} {name} is {'missing' if (kind, name) not in held else 'not as evolve makes it'}"
        for (kind, name), sql in ours.items()
        if held.get((kind, name)) != sql
    ]
    strange = [name for kind, name in held.keys() - ours.keys() if kind == "trigger"]
    found += [f"the trigger {name} is none of evolve's: it may change rows" for name in sorted(strange)]
    return [Violation("the schema", sentence) for sentence in found]


def _is_made_by_us(name: str) -> bool:
    """Tell whether our migrations say how a table is made, and not a version of SQLite or sqlite-utils."""
    return not name.startswith(("sqlite_", "_", "findings_"))


def _plain(sql: object) -> str:
    return " ".join(str(sql).replace('"', "").lower().split())


def _broken(archive: Archive, rule: _Rule) -> list[Violation]:
    rows = archive.rows(f"select *, count(*) over () as violations from ({rule.sql}) limit ?", [_MOST])
    found = [Violation(rule.name, rule.sentence.format_map(row)) for row in rows]
    more = int(str(rows[0]["violations"])) - len(rows) if rows else 0
    return found + ([Violation(rule.name, f"{more:,} more like the last")] if more else [])


def _cells(archive: Archive, grid: Grid) -> list[Violation]:
    """Return the elites whose measures belong to another cell; a population without a grid has none that could be wrong."""
    if not grid.measures:
        return []
    rows = archive.rows(
        "select e.island, e.cell, substr(e.method, 1, 12) as method, v.measures from elites e join evaluations v on v.id = ("
        "select max(id) from evaluations where method = e.method and split = 'dev' and fitness = e.fitness)"
    )
    found = []
    for row in rows:
        where = f"the elite of cell {row['cell']} on island {row['island']}, {row['method']},"
        try:
            cell = grid.cell(value(row, "measures", dict[str, float]))
        except (KeyError, ValueError):
            found.append(Violation(_CELLS, f"{where} has no measures that place it in any cell"))
        else:
            if cell != row["cell"]:
                found.append(Violation(_CELLS, f"{where} belongs to cell {cell}"))
    return found[:_MOST]


def _best(archive: Archive, grid: Grid) -> list[Violation]:
    """Return the elites that are less fit than a method that was offered to their cell."""
    history = History(archive, grid)
    if not history.exact:
        return []
    held = {(elite.island, elite.cell): elite for elite in archive.elites()}
    found = []
    for best in elites(history):
        elite = held.get((best.island, best.cell))
        if elite is not None and elite.fitness < best.fitness:
            where = f"the elite of cell {elite.cell} on island {elite.island}, {elite.method[:12]}, has fitness {elite.fitness}"
            found.append(Violation(_FITTEST, f"{where}, but {best.method[:12]} with {best.fitness} was offered there"))
    return found[:_MOST]
