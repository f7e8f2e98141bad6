"""Adding a user's own method to a run, also while it is running."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from archives.archive import Archive
from archives.nouns import Look
from evolve.baselines import SeedFile
from evolve.gridding import grid_of
from evolve.lab import bench, check_origin, dev_instances, record_weak_walls, stored_config
from evolve.nouns import short
from evolve.population import settle
from evolve.screen import Screen
from fitness import pgr
from fitness.nouns import Split, Status, Verdict

_WHO, _WHY = "seed add", "judged by hand, to be added to the run"


@dataclass(frozen=True)
class Added:
    """What became of a file.

    Attributes:
        message: why it was not added, or what the probes that failed it saw.
        pgr: its mean dev PGR, None when it was not added.
        flags: the probes that failed it; it is then in the archive but not in the grid.
    """

    file: Path
    method: str
    status: Status
    message: str
    pgr: float | None
    flags: tuple[str, ...] = ()


def add_seed(path: Path, seed: SeedFile, trust: bool = False) -> Added:
    """Screen a file, judge it on the run's dev instances, and store and place it when it is OK.

    Raises EvolveError when the run cannot be opened or was scored with another vault.
    """
    archive = Archive.open(path, write=True)
    with contextlib.closing(archive):
        config = stored_config(archive)
        check_origin(archive)
        with bench(config.task, dev_instances(config), config.device, trust=trust) as things:
            screened = Screen(things.syntax, archive.methods()).check(seed.source, seed.name, "added")
            if screened.method is None:
                return Added(seed.path, "", Status.INVALID, screened.reason, None)
            method = screened.method
            evaluation = things.judge.certify(method.method, dev_instances(config), thorough=True)
            if evaluation.status is not Status.OK or evaluation.fitness is None:
                return Added(seed.path, method.id, evaluation.status, evaluation.message, None)
            with archive.transaction():
                record_weak_walls(archive, things.sandbox)
                archive.add_method(method)
                archive.journal("added", method=method.id)
                archive.add_evaluation(evaluation, None, config.domain, Split.DEV, pgr.interval(*evaluation.strata))
                for domain in config.domains:
                    archive.look(Look(_WHO, method.id, method.id, domain, Split.DEV, config.dev_instances, _WHY))
                if evaluation.flags:
                    text = f"{seed.name} ({short(method.id)}) was added by hand and is kept out of the grid"
                    archive.event("flag", f"{text}, flagged by {', '.join(evaluation.flags)}", None, method.id)
                else:
                    grid, measures = grid_of(archive), evaluation.measures
                    settle(archive, grid, method.id, evaluation.fitness, measures, config.populations)
                    archive.event("added", f"{seed.name} ({short(method.id)}) was added by hand", None, method.id)
    failed = [finding for finding in evaluation.findings if finding.verdict is Verdict.FAILED]
    seen = "; ".join(f"{finding.probe}: {finding.sentence}" for finding in failed)
    return Added(seed.path, method.id, Status.OK, seen, evaluation.pgr, evaluation.flags)
