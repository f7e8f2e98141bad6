"""Moves a run onto another grid: its elites are chosen again among everything that was judged."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

from archives.archive import Archive
from archives.grid import Grid, Voronoi, dump
from archives.history import History, elites
from archives.nouns import ArchiveError


@dataclass(frozen=True)
class Regridded:
    """What became of a run's elites.

    Attributes:
        before, after: how many elites there were, and are.
        cells: cells of the new grid, of which `occupied` hold an elite of some island.
        missing: methods that lie in no cell, and the measure that was never recorded of each.
    """

    before: int
    after: int
    cells: int
    occupied: int
    missing: dict[str, str]


def regrid(archive: Archive, grid: Grid) -> Regridded:
    """Replace a run's grid and its elites, in one transaction.

    Raises ArchiveError, with nothing changed, when no method can be placed.
    """
    with archive.transaction():
        run, before, history = archive.run(), archive.elites(), History(archive, grid)
        after = elites(history, before)
        if before and not after:
            lacking = ", ".join(sorted(set(history.missing.values())))
            raise ArchiveError(
                f"no method of {archive.path} can be placed: {lacking} was never recorded; choose other measures"
            )
        archive.journal("regrid", config=json.dumps({"from": run.grid, "to": dump(grid)}))
        archive.update_run(grid=dump(grid), config=json.dumps(_settings(run.config) | _keys(grid)))
        archive.replace_elites(after)
        occupied = len({elite.cell for elite in after})
        archive.event(
            "regrid", f"the grid is now that of {_named(grid)}: {len(after)} elites in {occupied} of {grid.cells} cells"
        )
    return Regridded(len(before), len(after), grid.cells, occupied, history.missing)


def _settings(config: str) -> dict[str, object]:
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(config)
        if isinstance(found, dict):
            return found
    raise ArchiveError("the configuration of the run cannot be read: it is damaged or was tampered with")


def _keys(grid: Grid) -> dict[str, object]:
    """Return the configuration's settings of a grid."""
    names = [measure.name for measure in grid.measures]
    return {"measures": names, **({"grid": "cvt", "cells": grid.cells} if isinstance(grid, Voronoi) else {"grid": "bins"})}


def _named(grid: Grid) -> str:
    return " and ".join(measure.name for measure in grid.measures)
