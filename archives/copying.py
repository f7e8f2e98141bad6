"""A copy of an archive, also while a run is writing to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

from archives.connection import connect, sentences
from archives.nouns import ArchiveError


def backup(source: Path, target: Path, *, force: bool = False) -> int:
    """Copy an archive as it is at one moment and return the copy's bytes; nothing stands at `target` before it is whole.

    Raises ArchiveError when there is no archive, when something is at `target` (unless `force`), or when it cannot be written.
    """
    if not source.is_file():
        raise ArchiveError(f"there is no archive at {source}")
    if target.is_dir():
        raise ArchiveError(f"{target} is a folder: name the file that the copy is to be")
    if target.exists() and target.samefile(source):
        raise ArchiveError(f"{target} is the archive itself: name another file for the copy")
    if os.path.lexists(target) and not force:
        raise ArchiveError(f"{target} already exists: name another file, or say --force to replace it")
    part = _part(target)
    try:
        _copy(source, part)
        for name in ("-wal", "-shm", "-journal"):  # of the file that is replaced: SQLite would take them for the copy's
            Path(f"{target}{name}").unlink(missing_ok=True)
        shutil.copymode(source, part)
        size = part.stat().st_size
        part.replace(target)
        return size
    except OSError as error:
        raise ArchiveError(f"cannot write {target}: {error.strerror}; name another place") from error
    finally:
        for name in ("", "-wal", "-shm", "-journal"):
            Path(f"{part}{name}").unlink(missing_ok=True)


def _part(target: Path) -> Path:
    """Make an empty file of our own beside the target. Raises ArchiveError when its folder takes none."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise ArchiveError(f"cannot write {target}: {error.strerror}; name another place") from error
    os.close(number)
    return Path(name)


def _copy(source: Path, part: Path) -> None:
    """Copy a database with SQLite's backup API, in one read transaction, and look whether the copy is whole."""
    with sentences(source), contextlib.closing(connect(source, "?mode=ro")) as db:
        if not {"runs", "evaluations"} <= set(db.table_names()):
            raise ArchiveError(f"{source} is not an archive of evolve: it has no tables named runs and evaluations")
        with contextlib.closing(sqlite3.connect(part)) as copy:
            db.conn.backup(copy)
            found = copy.execute("pragma quick_check(1)").fetchone()[0]
    if found != "ok":
        raise ArchiveError(f"{source} is damaged ({found}): it was not copied; see `python -m evolve archive check`")
