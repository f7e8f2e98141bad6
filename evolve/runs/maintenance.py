"""Copies an archive, merges several into one, and moves one onto another grid; a run that is going on is never replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from archives.archive import Archive
from archives.maintenance.backup import aside, new_file
from archives.maintenance.backup import backup as copy
from archives.maintenance.merge import merge as join
from archives.maintenance.regrid import Regridded
from archives.maintenance.regrid import regrid as move
from archives.nouns import RunRecord
from evolve import __version__
from evolve.errors import EvolveError, UsageError
from evolve.files import run_name
from evolve.grids import other_grid
from evolve.runs.process import is_running, only_writer
from fitness.nouns import Measure


@dataclass(frozen=True)
class NewGrid:
    """The grid that a run is moved onto.

    Attributes:
        measures: their names; none means those of the grid that it has.
        edges: other edges of measures, by name.
        cells: how many Voronoi cells, None for equal bins; `seed` draws them.
    """

    measures: Sequence[str]
    edges: Mapping[str, Measure]
    cells: int | None
    seed: int


def backup(source: Path, path: Path, *, force: bool) -> int:
    """Copy an archive as it is at this moment, and return the bytes of the copy. Raises EvolveError."""
    _check_free(path, force)
    return copy(source, path, force=force)


def merge(runs: tuple[Path, ...], out: Path, *, force: bool) -> dict[str, int]:
    """Make one archive of several, and return how many rows of each kind it has. Raises EvolveError."""
    if len({run.resolve() for run in runs}) < max(len(runs), 2):
        raise UsageError("name two or more runs, each once: `python -m evolve archive merge A.db B.db --out C.db`")
    _check_free(out, force)
    with ExitStack() as stack:
        sources = [stack.enter_context(closing(Archive.open(run))) for run in runs]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with new_file(out, runs, force=force) as part:
            join(sources, part, RunRecord(run_name(out), now, "", "", "", "", 0, "", "", __version__))
        held = stack.enter_context(closing(Archive.open(out)))
        names = ("methods", "proposals", "elites")
        return {name: int(str(held.rows(f"select count(*) as n from {name}")[0]["n"])) for name in names}


def regrid(source: Path, wanted: NewGrid, out: Path | None, *, force: bool) -> tuple[Regridded, Path]:
    """Move a run onto another grid, in its place or at `out`; return what came of it, and where the run is as it was."""
    with closing(Archive.open(source)) as held:
        chosen = other_grid(held, wanted.measures, wanted.edges, wanted.cells, wanted.seed)

    def moved(path: Path) -> Regridded:
        with closing(Archive.open(path, write=True)) as held:
            return move(held, chosen)

    if out is not None:
        _check_free(out, force)
        with new_file(out, (source,), force=force) as part:
            copy(source, part)
            return moved(part), source
    with only_writer(source):
        kept = aside(source)
        try:
            return moved(source), kept
        except EvolveError:
            kept.unlink()
            raise


def _check_free(path: Path, force: bool) -> None:
    """Raise UsageError when what would be replaced is a run that is going on."""
    if force and is_running(path):
        raise UsageError(f"a run is going on in {path}: it cannot be replaced; name another file")
