"""Which grid a run has: the one its configuration asks for when it starts, from then on the one that its archive holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archives.archive import Archive
from archives.grid import Bins, Grid, parse, voronoi
from evolve.errors import UsageError
from fitness import tasks
from fitness.nouns import Measure
from fitness.tasks import Task

if TYPE_CHECKING:
    from evolve.config import Config

MOST_AXES = 3  # of equal bins: more have too many cells to fill


def measures_of(task: Task, config: Config) -> tuple[Measure, ...]:
    """Return the measures of a run's grid. Raises UsageError when the task does not offer them, or there are too few."""
    offered = {measure.name: measure for measure in (*task.measures, *task.other_measures)}
    for name in config.measures:
        if name not in offered:
            raise UsageError(f"{name!r} is no measure of {task.name}: choose among {', '.join(offered)}")
    chosen = tuple(offered[name] for name in dict.fromkeys(config.measures)) or task.measures
    if len(chosen) < 2:
        raise UsageError(f"measures = {list(config.measures)} is too few for a grid: name two or more of {', '.join(offered)}")
    if config.grid == "bins" and len(chosen) > MOST_AXES:
        raise UsageError(
            f'{len(chosen)} measures cut into equal bins make too many cells: set grid = "cvt", or name at most three'
        )
    return chosen


def grid_for(task: Task, config: Config) -> Grid:
    """Return the grid of a new run. Raises UsageError."""
    measures = measures_of(task, config)
    return voronoi(measures, config.cells, config.seed) if config.grid == "cvt" else Bins(measures)


def grid_of(archive: Archive) -> Grid:
    """Return the grid of a run: its own, or its task's default one when it is older than grids that are stored.

    Raises EvolveError when it cannot be read, or its task is not known here.
    """
    run = archive.run()
    return parse(run.grid) if run.grid else Bins(tasks.load(run.task).measures)
