"""Tells which schema a file has; imports the migrations, and sqlite-utils which applies them, only where one is missing."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from archives.sqlite.connection import check_tables, connect, migrating

NEWEST = "m010_experiments"  # the last migration of migrations.py


def is_current(db: sqlite3.Connection) -> bool:
    """Tell whether a file has every migration that we know, and no other."""
    query = "select count(*), max(name) from _sqlite_migrations where migration_set = 'evolve'"
    return bool(db.execute(query).fetchone() == (int(NEWEST[1:4]), NEWEST))


def bring_up_to_date(db: sqlite3.Connection, path: Path, *, write: bool) -> None:
    """Give a file what migrations it lacks. Raises ArchiveError when it is no archive, newer, or cannot be written."""
    check_tables(db, path, {"runs", "evaluations", "_sqlite_migrations"})
    if is_current(db):
        return
    from archives.schema.migrations import is_older, migrate

    if not write and is_older(db):
        with migrating(path), contextlib.closing(connect(path)) as writable:
            migrate(writable)
    migrate(db)
