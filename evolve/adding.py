"""Adding a user's own method to a run, also while it is running."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from archives.archive import Archive
from archives.grid import Grid
from archives.nouns import Elite
from evolve.baselines import SeedFile
from evolve.errors import UsageError
from evolve.lab import bench, wanted_instances
from evolve.nouns import short
from evolve.screen import Screen
from fitness import pgr, tasks
from fitness.nouns import Split, Status


@dataclass(frozen=True)
class Added:
    """What became of a file; `pgr` is its mean dev PGR, None when it was not added and `message` says why."""

    file: Path
    method: str
    status: Status
    message: str
    pgr: float | None


def add_seed(path: Path, seed: SeedFile) -> Added:
    """Screen a file, judge it on the run's dev instances, and store and place it when it is OK.

    Raises EvolveError when the run cannot be opened or was scored with another vault.
    """
    from evolve.config import Config

    archive = Archive.open(path, write=True)
    with contextlib.closing(archive):
        run = archive.run()
        config = Config(**json.loads(run.config))
        dev = [name for name in wanted_instances(tasks.load(run.task), config) if name.split is Split.DEV]
        with bench(run.task, dev) as things:
            if (things.vault.fingerprint, things.task.version) != (run.vault, run.task_version):
                raise UsageError(f"{path} was scored with another vault or version of the task: set EVOLVE_HOME as it was then")
            screened = Screen(things.syntax, archive.methods()).check(seed.source, seed.name, "added")
            if screened.method is None:
                return Added(seed.path, "", Status.INVALID, screened.reason, None)
            method = screened.method
            evaluation = things.judge.evaluate(method.method, config.domain, Split.DEV, range(config.dev_instances))
            if evaluation.status is not Status.OK or evaluation.fitness is None:
                return Added(seed.path, method.id, evaluation.status, evaluation.message, None)
            cell = Grid(things.task.measures).cell(evaluation.measures)
            scores = [t.score for t in evaluation.trials if t.score]
            with archive.transaction():
                archive.add_method(method)
                archive.add_evaluation(evaluation, None, config.domain, Split.DEV, pgr.interval(scores))
                for island in range(config.islands):
                    archive.place(Elite(island, cell, method.id, evaluation.fitness))
                archive.event("added", f"{seed.name} ({short(method.id)}) was added by hand", None, method.id)
    return Added(seed.path, method.id, Status.OK, "", sum(evaluation.pgrs) / len(evaluation.pgrs))
