"""Chooses the grid of a run: the one its configuration asks for when it starts, from then on the one that its archive holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archives.archive import Archive
from archives.grid import Bins, FlatPopulation, Grid, parse, voronoi
from evolve.errors import UsageError
from evolve.selection.strategies import strategy
from fitness import tasks
from fitness.nouns import Measure
from fitness.tasks import Task

if TYPE_CHECKING:
    from evolve.config import Config

MOST_AXES = 3  # of equal bins: more have too many cells to fill


def measures_of(task: Task, config: Config) -> tuple[Measure, ...]:
    """Return the measures of a run's grid. Raises UsageError when the task does not offer them, or there are too few."""
    names = config.measures or [measure.name for measure in task.measures]
    return _chosen(task.name, (*task.measures, *task.other_measures), names, config.grid == "cvt")


def grid_for(task: Task, config: Config) -> Grid:
    """Return the grid of a new run, or the population of a strategy without one. Raises UsageError."""
    pool = strategy(config.strategy).pool
    if pool is not None:
        return FlatPopulation(pool)
    measures = measures_of(task, config)
    return voronoi(measures, config.cells, config.seed) if config.grid == "cvt" else Bins(measures)


def other_grid(archive: Archive, names: Sequence[str], edges: Mapping[str, Measure], cells: int | None, seed: int) -> Grid:
    """Return the grid of some measures for a run that has another; without names, of the measures that it has.

    With a number of cells they are Voronoi cells; `edges` replace a measure's own. Raises UsageError.
    """
    held, task = grid_of(archive), tasks.load(archive.run().task)
    if isinstance(held, FlatPopulation):
        raise UsageError(f"the strategy of {archive.path} keeps no grid, and a grid would change what it is: start another run")
    offered = (*task.measures, *task.other_measures)
    names = names or [measure.name for measure in held.measures]
    _chosen(task.name, offered, [*names, *edges], True)
    measures = tuple(edges.get(m.name, m) for m in _chosen(task.name, offered, names, cells is not None))
    return Bins(measures) if cells is None else voronoi(measures, cells, seed)


def grid_of(archive: Archive) -> Grid:
    """Return the grid of a run: its own, or its task's default one when it is older than grids that are stored.

    Raises EvolveError when it cannot be read, or its task is not known here.
    """
    run = archive.run()
    return parse(run.grid) if run.grid else Bins(tasks.load(run.task).measures)


def _chosen(task: str, offered: Sequence[Measure], names: Sequence[str], many: bool) -> tuple[Measure, ...]:
    """Return the measures of some names, each once. Raises UsageError for unknown ones, and for too few or too many."""
    known = {measure.name: measure for measure in offered}
    for name in names:
        if name not in known:
            raise UsageError(f"{name!r} is no measure of {task}: choose among {', '.join(known)}")
    chosen = tuple(known[name] for name in dict.fromkeys(names))
    if len(chosen) < 2:
        raise UsageError(f"a grid needs two measures or more: name others of {', '.join(known)}")
    if len(chosen) > MOST_AXES and not many:
        raise UsageError(f"{len(chosen)} measures cut into equal bins make too many cells: take Voronoi cells (cvt), or three")
    return chosen
