"""Puts a whole archive in the place of a damaged one, which is kept (`archive check --repair`)."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from archives.archive import Archive
from archives.grid import Grid
from archives.maintenance.backup import free_name, new_file
from archives.maintenance.check import check
from archives.maintenance.repair import Repaired
from archives.maintenance.repair import repair as salvaged
from archives.nouns import ArchiveError
from archives.sqlite.place import private
from evolve.errors import EvolveError
from evolve.grids import grid_of
from evolve.runs.process import only_writer


@dataclass(frozen=True)
class Repair:
    """What came of repairing an archive.

    Attributes:
        path: the whole archive.
        kept: where the damaged one is now; None when nothing was wrong, and it stays as it is.
        dropped: the file that lists the rows which had to go, if any.
        found: what was lost, what was done, and what still does not hold.
    """

    path: Path
    kept: Path | None
    dropped: Path | None
    found: Repaired


def repair(source: Path, out: Path | None = None) -> Repair:
    """Write a whole archive in the place of a damaged one, or to `out`. Raises ArchiveError when there is none."""
    if not source.is_file():
        raise ArchiveError(f"there is no archive at {source}")
    if out is None and _is_whole(source):
        return Repair(source, None, None, Repaired((), (), (), ()))
    target, kept = out or source, source
    with contextlib.ExitStack() as stack:
        if out is None:
            stack.enter_context(only_writer(source))
        part = stack.enter_context(new_file(target, (source,) if out else (), force=out is None))
        found = salvaged(source, part, _grid)
        if out is None:
            kept = _put_aside(source)
    return Repair(target, kept, _keep(found, target) if found.dropped else None, found)


def _is_whole(source: Path) -> bool:
    """Tell whether an archive needs no repair."""
    try:
        with contextlib.closing(Archive.open(source)) as held:
            return not check(held, _grid(held))
    except EvolveError:
        return False  # the repair says what is wrong, or does something about it


def _grid(held: Archive) -> Grid | None:
    with contextlib.suppress(EvolveError):
        return grid_of(held)
    return None


def _put_aside(source: Path) -> Path:
    """Give a damaged archive, with what SQLite holds beside it, another name."""
    kept = free_name(source)
    os.replace(source, kept)
    for end in ("-wal", "-journal"):
        if os.path.lexists(f"{source}{end}"):
            os.replace(f"{source}{end}", f"{kept}{end}")
    return kept


def _keep(found: Repaired, target: Path) -> Path:
    """Write the rows that were dropped, a line of JSON each, to a new file beside the archive."""
    path = free_name(target, "dropped")
    with open(path, "x", encoding="utf-8", opener=private) as file:
        for row in found.dropped:
            file.write(json.dumps(row, default=repr) + "\n")
    return path
