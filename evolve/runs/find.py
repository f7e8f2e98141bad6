"""Finds runs and methods by name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from archives.archive import Archive
from archives.nouns import ArchiveError, Row
from evolve.errors import UsageError
from evolve.files import RUNS, newest_runs
from evolve.queries.leaderboard import BRED, ranking
from evolve.runs.process import is_running
from evolve.text import one_line

NOTHING_BRED = "this run has bred no method that was judged OK yet"
_FEW = 4  # methods that a message names


def find_run(db: Path | None) -> Path:
    """Return the archive to work on. Raises UsageError when there is none in runs/, or it is still being prepared."""
    path = newest_run() if db is None else db
    if is_prepared(path):
        raise UsageError(f"{path} is being prepared by its start: try again in a few seconds")
    return path


def newest_run() -> Path:
    """Return the archive of the newest run in runs/, which may be about to be made. Raises UsageError when there is none."""
    runs = [path for path in map(_archive_of, RUNS.glob("*.db.lock")) if is_prepared(path)] or newest_runs()
    if not runs:
        raise UsageError("there is no run in runs/ yet: begin one with `python -m evolve start`, or name an archive with --db")
    return runs[0]


def is_prepared(path: Path) -> bool:
    """Tell whether a run has begun that has no archive yet: its start looks at the seeds and puts up the sandbox first."""
    return is_running(path) and not _has_begun(path)


def _has_begun(path: Path) -> bool:
    """Tell whether an archive holds its run: it is there a moment before its first rows are."""
    with contextlib.suppress(ArchiveError), contextlib.closing(Archive.open(path)) as archive:
        return bool(archive.rows("select 1 from runs limit 1"))
    return False


def _archive_of(lock: Path) -> Path:
    return lock.with_name(lock.name.removesuffix(".lock"))


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Archive]:
    """Open an archive to be read: for the length of a block it stands still, also while another process works on it."""
    with contextlib.closing(Archive.open(path)) as archive, archive.transaction():
        yield archive


def find_method(archive: Archive, key: str) -> str:
    """Return the id of the method that a prefix of its id, or a name, means. Raises UsageError when none or several match."""
    exact = archive.rows("select id, name from methods where id = ?1 union select id, name from methods where name = ?1", [key])
    rows = exact or archive.rows("select id, name from methods where substr(id, 1, ?) = ?", [len(key), key])
    if len(rows) == 1:
        return str(rows[0]["id"])
    shown = one_line(key, 40)
    if rows:
        few = ", ".join(_called(row) for row in rows[:_FEW]) + (", …" if len(rows) > _FEW else "")
        raise UsageError(f"{shown!r} fits {len(rows):,} methods ({few}): give more characters of the id")
    near = _near(archive, key)
    hint = f"did you mean {near}?" if near else "see `python -m evolve top`"
    raise UsageError(f"no method of this run is named or begins with {shown!r}: {hint}")


def _near(archive: Archive, key: str) -> str:
    """Return what a mistyped id or name may have meant, "" when nothing is like it."""
    from difflib import get_close_matches

    named = archive.rows("select id, name from methods where origin != 'search' limit 1000")
    names = get_close_matches(key, [str(row["name"]) for row in named], n=3)
    for length in range(len(key) - 1, 3, -1):  # an id that was copied with a slip near its end
        rows = [] if names else archive.rows("select id, name from methods where substr(id, 1, ?) = ?", [length, key[:length]])
        if rows:
            return " or ".join(_called(row) for row in rows[:_FEW])
    return " or ".join(one_line(name, 40) for name in names)


def _called(row: Row) -> str:
    identity, name = str(row["id"]), one_line(str(row["name"]), 40)
    return identity[:12] if identity.startswith(name) else f"{identity[:12]} {name}"


def waiting(archive: Archive) -> str:
    """Return how a run comes to what it has not bred yet: a process is at work on it, or it wants to be gone on with."""
    if is_running(archive.path):
        return "wait a moment"
    return "give it a larger budget with `resume`" if archive.run().state == "finished" else "go on with `resume`"


def choose_method(archive: Archive, key: str | None) -> str:
    """Return the id of the named method, of the champion, or of the best bred one. Raises UsageError when there is none."""
    if key:
        return find_method(archive, key)
    best = archive.run().champion or next((row.method for row in ranking(archive, 1, BRED)), "")
    if not best and not ranking(archive, 1):
        raise UsageError(f"nothing has been judged in this run yet: {waiting(archive)}, or name a method")
    if not best:
        raise UsageError(f"{NOTHING_BRED}: {waiting(archive)}, or name one, also a baseline")
    if not archive.rows("select 1 from methods where id = ?", [best]):
        raise UsageError(
            "the best method of this run is not in its archive, which is damaged or was tampered with: name another"
        )
    return best
