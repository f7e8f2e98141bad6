"""Repairs a damaged archive: keeps what can be read, drops and names what contradicts it, and finds the elites again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archives.archive import Archive
from archives.grid import Grid
from archives.history import History, elites
from archives.maintenance.check import Violation, check
from archives.maintenance.salvage import Loss, salvage
from archives.nouns import ArchiveError, Elite, Row
from archives.sqlite.connection import connect

_OPTIONAL = {
    "proposals": ("method", "fixes"),
    "evaluations": ("proposal",),
    "directions": ("proposal",),
    "spend": ("proposal",),
    "experiments": ("proposal", "subject"),
}
_BOUND = (
    *(("evaluations", "method", "methods"), ("trials", "evaluation", "evaluations"), ("elites", "method", "methods")),
    *(("probes", "method", "methods"), ("reviews", "method", "methods")),
    *(("pairs", "one", "methods"), ("pairs", "other", "methods")),
)
_UNSOUND = {
    "e.fitness is not null and not (abs(e.fitness) <= 1e15)": "their fitness is not finite",
    "e.status != 'OK' and (e.fitness is not null or e.pgr is not null)": "they are failures with a score",
    "e.trials != (select count(*) from trials t where t.evaluation = e.id)": "some of their trials are gone",
}
_UNJUDGED = (
    "p.state = 'done' and p.source is not null and (p.method is null or not exists "
    "(select 1 from evaluations e where e.method = p.method and e.proposal = p.id))"
)


@dataclass(frozen=True)
class Repaired:
    """What a repair came to.

    Attributes:
        losses: rows that could not be read, or were dropped.
        notes: what else was corrected.
        dropped: the rows that were dropped although they could be read, each with the name of its table.
        violations: what does not hold even now.
    """

    losses: tuple[Loss, ...]
    notes: tuple[str, ...]
    dropped: tuple[Row, ...]
    violations: tuple[Violation, ...]


def repair(source: Path, target: Path, grid_of: Callable[[Archive], Grid | None]) -> Repaired:
    """Write a whole archive to `target` out of a damaged one, which is only read.

    Raises ArchiveError when that is none, from a newer version, or without the row of its run.
    """
    losses = salvage(source, target)
    with contextlib.closing(connect(target)) as db:
        db.execute("pragma foreign_keys = off")
        archive = Archive(db, target)
        with archive.transaction():
            if not archive.rows("select 1 from runs"):
                raise ArchiveError(f"the row that says what the run in {source} is cannot be read: restore it from a copy")
            repairer = _Repairer(archive)
            repairer.references()
            repairer.evaluations()
            repairer.elites(grid_of(archive), any(loss.table in ("elites", "evaluations") for loss in losses))
        found = check(archive, grid_of(archive))
    return Repaired((*losses, *repairer.losses()), tuple(repairer.notes), tuple(repairer.dropped), found)


class _Repairer:
    """Puts the rows of an archive right, in place."""

    def __init__(self, archive: Archive) -> None:
        self._archive, self.notes, self.dropped = archive, list[str](), list[Row]()
        self._reasons: dict[tuple[str, str], int] = {}

    def losses(self) -> list[Loss]:
        """Return how many rows were dropped, by table and reason."""
        return [Loss(table, rows, reason) for (table, reason), rows in self._reasons.items()]

    def references(self) -> None:
        """Empty references to rows that are gone; where a row cannot do without, it goes too."""
        self._change(
            "insert into directions (name, text, focus, origin) select distinct direction, '', '[]', 'lost' from proposals "
            "where direction not in (select name from directions)", "{} directions were lost, all but their names",
        )  # fmt: skip
        for table, columns in _OPTIONAL.items():
            for column in columns:
                other = "methods" if column in ("method", "subject") else "proposals"
                self._change(
                    f"update {table} set {column} = null where {column} not in (select id from {other})",
                    f"{{}} of {table} named a row of {other} that is gone",
                )
        for table, column, parent in _BOUND:  # parents before their children
            self._drop(table, f"{column} not in (select id from {parent})", f"they belong to rows of {parent} that are gone")
        self._drop("journal", "proposal not in (select id from proposals)", "they are steps of proposals that are gone")
        self._drop("journal", "method not in (select id from methods)", "they name methods that are gone")
        for column in ("champion", "human_best"):
            self._change(
                f"update runs set {column} = '' where {column} != '' and {column} not in (select id from methods)",
                f"the run's {column} is gone",
            )

    def evaluations(self) -> None:
        """Drop evaluations that contradict themselves; what was bred is then judged again when the run is resumed."""
        for where, reason in _UNSOUND.items():
            rows = self._archive.rows(f"select e.id from evaluations e where {where}")
            found = ", ".join(str(int(str(row["id"]))) for row in rows)
            self._drop("evaluations", f"id in ({found})", reason)
            self._drop("trials", f"evaluation in ({found})", "their evaluations were dropped")
        self._change(
            f"update proposals set state = 'lost' where id in (select p.id from proposals p where {_UNJUDGED})",
            "{} proposals are judged again when the run is resumed",
        )

    def elites(self, grid: Grid | None, lost: bool) -> None:
        """Find the elites again where one is not what its evaluation says, in another's cell, or less fit than another."""
        if grid is None:
            return
        held, history = self._archive.elites(), History(self._archive, grid)
        best = {(elite.island, elite.cell): elite for elite in elites(history)}
        known = {(offer.elite.method, offer.elite.cell, offer.elite.fitness) for offer in history.offers() if offer.elite}
        sound = [elite for elite in held if (elite.method, elite.cell, elite.fitness) in known]
        if len(sound) == len(held) and not lost and not (history.exact and any(_is_beaten(elite, best) for elite in held)):
            return
        again = elites(history, sound)
        if again != held:
            self._archive.replace_elites(again)
            self.notes.append(f"{len(again)} elites were found again among what was judged; {len(held)} could be read")

    def _change(self, statement: str, note: str) -> None:
        changed = self._archive._db.execute(statement).rowcount
        if changed:
            self.notes.append(note.format(changed))

    def _drop(self, table: str, where: str, reason: str) -> None:
        rows = self._archive.rows(f"select * from {table} where {where}")
        if rows:
            self.dropped += [{"table": table, **row} for row in rows]
            self._archive._db.execute(f"delete from {table} where {where}")
            self._reasons[table, reason] = self._reasons.get((table, reason), 0) + len(rows)


def _is_beaten(elite: Elite, best: dict[tuple[int, int], Elite]) -> bool:
    other = best.get((elite.island, elite.cell))
    return other is not None and other.fitness > elite.fitness
