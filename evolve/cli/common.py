"""What several verbs share: finding a run, and printing JSON."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from archives.archive import Archive
from evolve.errors import UsageError
from evolve.report.clean import finite
from evolve.report.ranking import ranking

RUNS = Path("runs")

db_option = click.option("--db", type=click.Path(path_type=Path), help="The run's archive (default: the newest in runs/).")
device_option = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where methods compute: auto is a GPU if there is one."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def find_run(db: Path | None) -> Path:
    """Return the archive to work on. Raises UsageError when none is named and there is none in runs/."""
    if db is not None:
        return db
    runs = sorted(RUNS.glob("*.db"), key=lambda path: path.stat().st_mtime)
    if not runs:
        raise UsageError("there is no run in runs/ yet: begin one with `python -m evolve start`, or name an archive with --db")
    return runs[-1]


def open_run(db: Path | None, *, write: bool = False) -> Archive:
    """Open the archive of a run."""
    return Archive.open(find_run(db), write=write)


def is_running(path: Path) -> bool:
    """Tell whether a process is searching in this archive: it holds a lock on the file `<db>.lock` for as long as it lives."""
    try:
        with Path(f"{path}.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two readers never take each other for a run
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def find_method(archive: Archive, key: str) -> str:
    """Return the id of the method that a prefix of its id, or a name, means. Raises UsageError when none or several match."""
    exact = archive.rows("select id from methods where name = ? or id = ?", [key, key])
    rows = exact or archive.rows("select id from methods where substr(id, 1, ?) = ?", [len(key), key])
    if len(rows) == 1:
        return str(rows[0]["id"])
    if not rows:
        raise UsageError(f"no method of this run is named or begins with {key!r}: see `python -m evolve top`")
    raise UsageError(f"{key!r} fits {len(rows)} methods: give more characters of the id")


def echo_json(value: object) -> None:
    """Print a value as JSON; what is not finite becomes null."""
    default: Callable[[Any], Any] = str
    click.echo(json.dumps(finite(value), indent=2, default=default, allow_nan=False))


def choose_method(archive: Archive, key: str | None) -> str:
    """Return the id of the named method, or of the champion, or of the best so far. Raises UsageError when there is none."""
    if key:
        return find_method(archive, key)
    if champion := archive.run().champion:
        return champion
    best = ranking(archive, 1)
    if not best:
        raise UsageError("nothing has been judged in this run yet: wait a moment, or name a method")
    return best[0].method
