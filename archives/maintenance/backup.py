"""Copies an archive, also while a run is writing to it."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from archives.archive import Archive
from archives.nouns import ArchiveError, RunRecord
from archives.sqlite.connection import check_tables, connect_to_read, sentences
from archives.sqlite.place import create, owner, remove


def backup(source: Path, target: Path, *, force: bool = False) -> int:
    """Copy an archive as it is at one moment and return the copy's bytes.

    Raises ArchiveError when there is no archive, when something is at `target` (unless `force`), or when it cannot be written.
    """
    if not source.is_file():
        raise ArchiveError(f"there is no archive at {source}")
    with new_file(target, (source,), force=force) as part:
        _copy(source, part)
        return part.stat().st_size


def aside(source: Path) -> Path:
    """Copy an archive to a new file beside it before it is changed, and return that: NAME.db.backup, or with a number."""
    target = free_name(source)
    backup(source, target)
    return target


def free_name(path: Path, end: str = "backup") -> Path:
    """Return a name beside a file that nothing has: NAME.backup, NAME.backup1 and so on."""
    names = (path.with_name(f"{path.name}.{end}{number or ''}") for number in itertools.count())
    return next(name for name in names if not os.path.lexists(name))


@contextlib.contextmanager
def new_file(target: Path, sources: tuple[Path, ...], *, force: bool = False) -> Iterator[Path]:
    """Yield a place to write a database to, which is moved to `target` when it is whole: nothing stands there before.

    Raises ArchiveError when something is at `target` (unless `force`), when that is a source or another run, or when it cannot
    be written.
    """
    if target.is_dir():
        raise ArchiveError(f"{target} is a folder: name the file that is to be written")
    if target.exists() and any(target.samefile(source) for source in sources):
        raise ArchiveError(f"{target} is the archive itself: name another file")
    if (beside := owner(target)) is not None:
        raise ArchiveError(f"{target} is a name that belongs to the archive {beside}: name another file")
    if os.path.lexists(target) and not force:
        raise ArchiveError(f"{target} already exists: name another file, or say --force to replace it")
    _check_replaced(target, sources)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent, ignore_cleanup_errors=True) as folder:
            part = Path(folder) / target.name
            yield part
            remove(target)  # SQLite would take what lies beside the file that is replaced for the new one's
            part.replace(target)
    except OSError as error:
        raise ArchiveError(f"cannot write {target}: {error.strerror}; name another place") from error


def _check_replaced(target: Path, sources: tuple[Path, ...]) -> None:
    """Raise ArchiveError when what would be replaced is another run: no copy of one of `sources`, and not made of several."""
    if (there := _run_in(target)) is None:
        return
    run, merged = there
    if sources and not merged and run.key not in {known[0].key for known in map(_run_in, sources) if known}:
        what = f"{target} holds another run, {run.id[:40]}, and --force replaces an earlier copy only"
        raise ArchiveError(f"{what}: move it away, or name another file")


def _run_in(path: Path) -> tuple[RunRecord, bool] | None:
    """Return which run a file holds, and whether that was merged of several; None for a file that is no archive of a run."""
    with contextlib.suppress(ArchiveError), contextlib.closing(Archive.open(path)) as held:
        return held.run(), bool(held.rows("select 1 from events where kind = 'merge' limit 1"))
    return None


def _copy(source: Path, part: Path) -> None:
    """Copy a database with SQLite's backup API, in one read transaction, and look whether the copy is whole."""
    with sentences(source), contextlib.closing(connect_to_read(source)) as db:
        check_tables(db, source, {"runs", "evaluations"})
        create(part)
        with contextlib.closing(sqlite3.connect(part)) as copy:
            db.backup(copy)
            found = copy.execute("pragma quick_check(1)").fetchone()[0]
    if found != "ok":
        raise ArchiveError(f"{source} is damaged ({found}): it was not copied; see `python -m evolve archive check`")


_OF_A_METHOD = ("probes", "looks", "events", "journal", "elites", "reviews")


def begin_again(archive: Archive, run: str, config: str, seed: int, grid: str) -> None:
    """Give an archive another name, configuration (JSON), seed and grid (JSON); its elites are to be placed anew."""
    with archive.transaction():
        archive.update_run(id=run, config=config, seed=seed, grid=grid, state="interrupted", seconds=0.0, engine_seconds=0.0)
        archive.execute("update journal set config = ? where config is not null", [config])
        archive.execute("delete from elites")


def leave_out(archive: Archive, method: str) -> None:
    """Take a seed out of an archive, with everything that is known of it."""
    with archive.transaction():
        archive.execute("delete from trials where evaluation in (select id from evaluations where method = ?)", [method])
        archive.execute("delete from evaluations where method = ?", [method])
        for table in _OF_A_METHOD:
            archive.execute(f"delete from {table} where method = ?", [method])
        archive.execute("delete from experiments where subject = ?", [method])
        archive.execute("delete from pairs where one = ? or other = ?", [method, method])
        archive.execute("delete from methods where id = ?", [method])
