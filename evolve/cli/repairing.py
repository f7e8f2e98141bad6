"""`archive check --repair`: a whole archive out of a damaged one, which is kept."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path

from archives.archive import Archive
from archives.check import check
from archives.copying import free_name, new_file
from archives.grid import Grid
from archives.nouns import ArchiveError
from archives.repair import Repaired, repair
from evolve.cli.common import echo_json
from evolve.cli.printing import paragraph, say
from evolve.errors import EvolveError
from evolve.gridding import grid_of
from evolve.locking import only_writer
from evolve.report.wording import count


def mend(source: Path, out: Path | None, as_json: bool) -> bool:
    """Repair an archive, say what was done, and return whether something still does not hold."""
    if not source.is_file():
        raise ArchiveError(f"there is no archive at {source}")
    if out is None and _is_whole(source):
        _say(source, None, None, Repaired((), (), (), ()), as_json)
        return False
    target, kept = out or source, source
    with contextlib.ExitStack() as stack:
        if out is None:
            stack.enter_context(only_writer(source))
        part = stack.enter_context(new_file(target, (source,) if out else (), force=out is None))
        found = repair(source, part, _grid)
        if out is None:
            kept = _put_aside(source)
    dropped = _keep(found, target) if found.dropped else None
    _say(target, kept, dropped, found, as_json)
    return bool(found.violations)


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
    with open(path, "x", encoding="utf-8") as file:
        for row in found.dropped:
            file.write(json.dumps(row, default=repr) + "\n")
    return path


def _say(target: Path, kept: Path | None, dropped: Path | None, found: Repaired, as_json: bool) -> None:
    if as_json:
        lists = {name: [asdict(one) for one in getattr(found, name)] for name in ("losses", "violations")}
        named = {name: str(path) if path else None for name, path in (("kept", kept), ("dropped", dropped))}
        echo_json({"db": str(target), **named, **lists, "notes": list(found.notes)})
        return
    say(str(target), "dim")
    for loss in found.losses:
        rows = "Rows" if loss.rows is None else count(loss.rows, "row")
        paragraph(f"- {rows} of {loss.table} did not come along: {loss.reason}.")
    for note in found.notes:
        paragraph(f"- {note}.")
    for one in found.violations:
        paragraph(f"- It still does not hold: {one.sentence}")
    if dropped:
        paragraph(f"The rows that were dropped are in {dropped}.")
    if kept:
        paragraph(f"The archive as it was is {kept}.")
        say(f"{count(len(found.violations), 'violation')} left." if found.violations else "It is whole.", "bold")
    else:
        say("Nothing is wrong: it stays as it is.", "bold")
