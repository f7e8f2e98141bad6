"""Copies what can still be read of a damaged archive, row by row, into a new one of the same schema."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archives.nouns import ArchiveError
from archives.schema.migrations import migrations, names
from archives.schema.totals import COUNTED
from archives.sqlite.connection import LONGEST
from archives.sqlite.library import Database
from archives.sqlite.place import create

PROBES = 1 << 20  # rows that are asked for one by one between what can be read from the front and from the back
_LISTS = {"trials": ("evaluation", "place"), "elites": ("island", "cell")}  # tables that have no rowid, and their keys
_SHADOW = {"findings": "findings_content"}  # where full-text search keeps what it was given
Values = tuple[object, ...]


@dataclass(frozen=True)
class Loss:
    """Rows of a table that could not be kept, and why."""

    table: str
    rows: int | None  # None when nobody can tell how many
    reason: str


def salvage(source: Path, target: Path) -> list[Loss]:
    """Write every row of `source` that can be read into a new archive of today's schema; return what was lost.

    `source` is only read. Raises ArchiveError when it is no archive, from a newer version, or too damaged to be opened.
    """
    with contextlib.closing(_open(source)) as old:
        there = _tables(old, source)
        applied = _applied(old)
        if unknown := sorted(applied - set(names())):
            raise ArchiveError(f"{source} was written by a newer evolve ({', '.join(unknown)}): update evolve to repair it")
        create(target)
        with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as new:
            new.execute("pragma journal_mode = wal")
            db = Database(new)
            behind = names()[max((names().index(name) for name in applied), default=len(names()) - 1) + 1 :]
            migrations.apply(db, stop_before=behind[0] if behind else None)
            made = {row[0] for row in new.execute("select name from sqlite_master where type = 'table'")}
            losses: list[Loss] = []
            for table in sorted(made - {"README", *COUNTED}):  # what those hold follows from the others
                if not table.startswith(("_", "sqlite_", "findings_")):
                    losses += _copy(old, new, table, there)
            losses += [
                Loss(table, None, "it is none of evolve's tables") for table in sorted(there - made) if _is_strange(table)
            ]
            migrations.apply(db)
    return losses


def _open(source: Path) -> sqlite3.Connection:
    """Open a damaged file as far as SQLite does; what writable_schema allows here is reading a file that was cut short."""
    if not source.is_file():
        raise ArchiveError(f"there is no archive at {source}")
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        db = sqlite3.connect(f"{source.resolve().as_uri()}?{mode}", uri=True, isolation_level=None)
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
        db.execute("pragma trusted_schema = off")
        db.execute("pragma writable_schema = on")
        try:
            db.execute("select count(*) from sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            db.close()
            if "unable to open" not in str(error):
                raise ArchiveError(f"{source} is no database, or its first page is damaged: restore it from a copy") from error
        else:
            return db
    raise ArchiveError(f"{source} cannot be opened: check its permissions")


def _tables(old: sqlite3.Connection, source: Path) -> set[str]:
    """Return the names of the ordinary tables that the file says it has."""
    with contextlib.suppress(sqlite3.DatabaseError):
        found = {
            str(name) for name, sql in old.execute("select name, sql from sqlite_master where type = 'table'") if _plain(sql)
        }
        if {"runs", "evaluations"} <= found:
            return found
    raise ArchiveError(f"{source} is not an archive of evolve, or its list of tables is damaged: restore it from a copy")


def _plain(sql: object) -> bool:
    return isinstance(sql, str) and sql.lower().startswith("create table")


def _is_strange(table: str) -> bool:
    return not table.startswith(("_sqlite", "sqlite_", "findings"))


def _applied(old: sqlite3.Connection) -> set[str]:
    """Return the migrations that were applied to a file; none when that cannot be read."""
    with contextlib.suppress(sqlite3.DatabaseError):
        query = "select name from _sqlite_migrations where migration_set = 'evolve'"
        return {str(name) for (name,) in old.execute(query)}
    return set()


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str, there: set[str]) -> Iterator[Loss]:
    """Copy the rows of a table, and yield what was lost of it."""
    origin = _SHADOW.get(table, table)
    if origin not in there:
        yield Loss(table, None, "the file has no such table")
        return
    columns = [str(row[1]) for row in new.execute(f"pragma table_info({table})")]
    held = {str(row[1]) for row in old.execute(f"pragma table_info({origin})")}
    sources = {name: f"c{place}" if table in _SHADOW else name for place, name in enumerate(columns)}
    both = [name for name in columns if sources[name] in held]
    if strange := held - {"id", *sources.values()}:
        yield Loss(table, None, f"evolve makes no column {', '.join(sorted(strange))} there")
    key = _LISTS.get(table, ("id",) if table in _SHADOW else ("rowid",))
    key = key if "place" not in key or "place" in held else ("evaluation", "instance")  # of the first schema
    reader = _Reader(old, origin, key, [sources[name] for name in both])
    into = ["rowid", *both] if table not in _LISTS else both
    places, refused = ", ".join("?" for _ in into), 0
    statement = f"insert into {table} ({', '.join(into)}) values ({places})"
    new.execute("begin")
    for row in reader.rows():
        try:
            new.execute(statement, row if table not in _LISTS else row[len(key) :])
        except (sqlite3.Error, OverflowError):
            refused += 1
    new.execute("commit")
    if refused:
        yield Loss(table, refused, "they hold values that the table does not take")
    if reader.damaged:
        yield Loss(table, None, "some of its pages cannot be read")


class _Reader:
    """Reads the rows of a table around what is damaged: from the front, from the back, and between them one by one."""

    def __init__(self, db: sqlite3.Connection, table: str, key: tuple[str, ...], columns: list[str]) -> None:
        self._db, self._key, self.damaged = db, key, False
        self._select = f"select {', '.join([*key, *columns])} from {table}"
        if key == ("rowid",):
            self._select += " not indexed"

    def rows(self) -> Iterator[Values]:
        """Yield the rows that can be read, each beginning with its key."""
        front: Values | None = None
        for row in self._scan(""):
            front = row[: len(self._key)]
            yield row
        if not self.damaged:
            return
        back: Values | None = None
        for row in self._scan(" desc"):
            if row[: len(self._key)] == front:
                return
            back = row[: len(self._key)]
            yield row
        if back is not None:
            yield from self._between(front, back)

    def _scan(self, order: str) -> Iterator[Values]:
        keys = ", ".join(f"{name}{order}" for name in self._key)
        try:
            yield from self._db.execute(f"{self._select} order by {keys}")
        except sqlite3.DatabaseError:
            self.damaged = True

    def _between(self, front: Values | None, back: Values) -> Iterator[Values]:
        """Ask for every row between two keys by the first number of its key."""
        first, last = (0 if front is None else int(str(front[0]))), int(str(back[0]))
        for number in range(first, min(last, first + PROBES) + 1):
            with contextlib.suppress(sqlite3.DatabaseError):
                for row in self._db.execute(f"{self._select} where {self._key[0]} = ?", [number]):
                    if (front is None or row[: len(self._key)] > front) and row[: len(self._key)] < back:
                        yield row
