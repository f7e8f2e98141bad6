"""Opens one SQLite file: transactions and queries, with SQLite's errors as sentences and its work bounded."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

from archives.nouns import ArchiveError, Row
from archives.sqlite.typed import fields, nouns

_WAIT_MS = 5000
PATIENCE = 60.0  # seconds that one query may take
STEPS = 10_000  # of SQLite's machine between two readings of the clock: about a millisecond
LONGEST = 1 << 24  # bytes of one text
LARGEST_ANSWER = 1 << 30  # bytes of text in one query's rows
N = TypeVar("N")


class Connection:
    """An open archive.

    Attributes:
        path: the file.
    """

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self.path = db, path

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group writes, those of transactions inside it too: all of them or none.

        Raises ArchiveError when the file cannot be written (a full disk, a lock).
        """
        if self._db.in_transaction:
            yield
            return
        with sentences(self.path):
            self._db.execute("begin")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                self._db.rollback()
                raise

    def insert(self, table: str, row: Mapping[str, object], *, ignore: bool = False) -> int:
        """Store a row, unless `ignore` and its key is known; return its number."""
        with self.transaction():
            return self._db.execute(_insert(table, tuple(row), ignore), list(row.values())).lastrowid or 0

    def execute(self, sql: str, values: Sequence[object] = ()) -> None:
        """Change what a statement says."""
        with self.transaction():
            self._db.execute(sql, list(values))

    def insert_all(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Store rows that have the same columns, in one step."""
        if rows:
            with self.transaction():
                self._db.executemany(_insert(table, tuple(rows[0]), False), [list(row.values()) for row in rows])

    def update(self, table: str, key: str, value: object, fields: Mapping[str, object]) -> None:
        """Change the fields of the rows that have a value in a column."""
        with self.transaction():
            changes = ", ".join(f"{name} = ?" for name in fields)
            self._db.execute(f"update {table} set {changes} where {key} = ?", [*fields.values(), value])

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query as mappings. Raises ArchiveError for one that a view of a stranger's makes endless."""
        with sentences(self.path), _bounded(self._db):
            cursor = self._db.execute(sql, list(values))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row)) for row in _within_reason(cursor)]

    def nouns(self, kind: type[N], origin: str, values: Sequence[object] = ()) -> list[N]:
        """Return what the rows of a table, or of `(a query)`, say as nouns: their columns are named as its fields.

        Raises ArchiveError for a value of another type, and as `rows` does.
        """
        return list(self.each(kind, origin, values))

    def each(self, kind: type[N], origin: str, values: Sequence[object] = ()) -> Iterator[N]:
        """Return an iterator over the same nouns: all rows are read before the first, and no noun is kept."""
        with sentences(self.path), _bounded(self._db):
            rows = list(_within_reason(self._db.execute(f"select {fields(kind)} from {origin}", list(values))))
        return nouns(kind, rows)


@cache
def _insert(table: str, columns: tuple[str, ...], ignore: bool) -> str:
    places = ", ".join("?" for _ in columns)
    return f"insert {'or ignore ' if ignore else ''}into {table} ({', '.join(columns)}) values ({places})"


def connect(path: Path, mode: str = "") -> sqlite3.Connection:
    """Open a database as a stranger's: nothing in its schema is trusted to be harmless, no text is endless."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}{mode}", _WAIT_MS / 1000, isolation_level=None, uri=True)
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma recursive_triggers = on")  # a row that `replace` removes is taken from the totals too
    connection.execute("pragma synchronous = normal")  # a crash of the machine may lose the last rows, never damage the file
    connection.execute("pragma trusted_schema = off")  # views and triggers may be a stranger's
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a database to read it only, also on a read-only disk, where SQLite cannot share it with a writer.

    Raises ArchiveError when its last changes cannot be read there.
    """
    try:
        db = connect(path, "?mode=ro")
        db.execute("select count(*) from sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if "unable to open" not in str(error):
            raise
        wal = Path(f"{path}-wal")
        if wal.is_file() and wal.stat().st_size:
            raise ArchiveError(
                f"cannot use {path}: its last changes are still in {wal.name}, and SQLite reads that only where it can write: "
                "copy both files to a folder that can be written"
            ) from error
        return connect(path, "?mode=ro&immutable=1")
    return db


def tables(db: sqlite3.Connection) -> set[str]:
    """Return the names of a database's tables."""
    return {str(name) for (name,) in db.execute("select name from sqlite_master where type = 'table'")}


def statements(script: str) -> list[str]:
    """Return the statements of a script, each of which ends its line."""
    return [statement for statement in script.split(";\n") if statement.strip()]


def check_tables(db: sqlite3.Connection, path: Path, needed: set[str]) -> None:
    """Raise ArchiveError when a database lacks tables that an archive has."""
    if not needed <= tables(db):
        raise ArchiveError(f"{path} is not an archive of evolve: it has no tables named runs and evaluations")


@contextmanager
def _bounded(db: sqlite3.Connection) -> Iterator[None]:
    """Interrupt a query that takes too long."""
    end = time.monotonic() + PATIENCE
    db.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    try:
        yield
    finally:
        db.set_progress_handler(None, 0)


def _within_reason(cursor: sqlite3.Cursor) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a query until they fill too much memory. Raises sqlite3.DataError."""
    room = LARGEST_ANSWER
    for row in cursor:
        for held in row:
            if type(held) is str or type(held) is bytes:
                room -= len(held)
        if room < 0:
            raise sqlite3.DataError("one of its views returns more than memory should hold")
        yield row


@contextmanager
def migrating(path: Path) -> Iterator[None]:
    """Say why an older archive cannot be read where nothing can be written."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "readonly" not in str(error) and "unable to open" not in str(error):
            raise
        raise ArchiveError(
            f"{path} was written by an earlier evolve and has to be brought up to date before it is read, but it cannot be "
            "written: copy it to a folder that can be"
        ) from error


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into sentences."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        if "full" in text:
            text = "the disk is full: free some space, then resume; what was recorded before is safe"
        elif "unable to open" in text or "readonly" in text:
            text = "it cannot be opened for writing: check the folder and its permissions, or choose another place with --db"
        elif "interrupted" in text:
            text = "a query took too long: its views may have been tampered with"
        elif "locked" in text:
            text = "another process is writing to it: try again when that has finished"
        elif isinstance(error, sqlite3.DatabaseError) and ("malformed" in text or "not a database" in text):
            text = "it is damaged or not a database: restore it from a copy"
        raise ArchiveError(f"cannot use {path}: {text}") from error
