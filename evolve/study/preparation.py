"""Prepares the searches of a study: one archive in which the seeds have been judged, and a copy of it for each search."""

from __future__ import annotations

import contextlib
from pathlib import Path

from archives.archive import Archive
from archives.grid import dump
from archives.maintenance.backup import backup, begin_again, leave_out
from archives.sqlite.place import remove
from evolve.errors import UsageError
from evolve.files import run_name
from evolve.grids import grid_for
from evolve.islands.islands import offer_to_all_islands
from evolve.observer import Observer
from evolve.runs import session
from evolve.search.restore import state_of
from evolve.selection.strategies import populations
from evolve.study.plan import Contestant, Plan
from fitness import tasks


def prepare(plan: Plan, watch: Observer) -> None:
    """Judge the seeds on the dev instances and the human baselines on the fresh ones, if that is not done yet."""
    if not is_finished(plan.beginning):
        session.prepare(plan.shared, plan.beginning, watch)


def is_finished(path: Path) -> bool:
    """Tell whether a search has ended. Raises ArchiveError when its archive cannot be read."""
    if not path.exists():
        return False
    with contextlib.closing(Archive.open(path)) as archive:
        return archive.run().state == "finished"


def fork(plan: Plan, contestant: Contestant) -> None:
    """Write the archive of one search: as if it had judged the seeds itself, a moment ago.

    Raises UsageError when the baseline that is to be held out is not there.
    """
    part = contestant.path.with_suffix(".part")
    remove(part)  # of a fork that was cut off
    backup(plan.beginning, part)
    with contextlib.closing(Archive.open(part, write=True)) as archive, archive.transaction():
        settings = contestant.config.model_dump_json()
        grid = grid_for(tasks.load(contestant.config.task), contestant.config)
        if plan.hold_out:
            leave_out(archive, held_out(archive, plan.hold_out))
        begin_again(archive, run_name(contestant.path), settings, contestant.config.seed, dump(grid))
        state = state_of(archive)
        for seed, fitness in state.sound_seeds().items():
            offer_to_all_islands(archive, grid, seed, fitness, state.measures(seed), populations(contestant.config))
    part.replace(contestant.path)


def held_out(archive: Archive, name: str) -> str:
    """Return the id of the baseline that is held out. Raises UsageError when it is not there."""
    for method in archive.methods():
        if method.name == name:
            return method.id
    raise UsageError(f"there is no human baseline named {name!r} to hold out: see `python -m evolve seed list`")
