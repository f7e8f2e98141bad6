"""Judges a method on the sealed instances: the last, counted look, after everything else has been decided."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archives.archive import Archive
from archives.nouns import Look
from evolve import executors
from evolve.config import Config
from evolve.errors import BudgetRefused
from evolve.executors.job import Job
from evolve.prompting.disclosure import Lineages
from evolve.runs.checks import check_origin, known_executor, record_weak_walls, stored_config
from evolve.runs.resources import judge_resources
from evolve.search.context import instances
from fitness import pgr, tasks
from fitness.nouns import Evaluation, Interval, Split, Status
from fitness.vault.vault import Vault

_WHO, _WHY = "sealed", "the sealed instances were opened"


@dataclass(frozen=True)
class Opened:
    """One domain's sealed instances: a method's status and its 90 % interval there, None unless it is OK."""

    domain: str
    instances: int
    status: Status
    message: str
    interval: Interval | None


@dataclass(frozen=True)
class Seal:
    """How often the sealed instances of this vault were opened, and how often they may be."""

    opened: int
    budget: int


def seal(config: Config) -> Seal:
    """Return the state of the seal on a run's search domains."""
    vault = Vault()
    return Seal(max(vault.looks(domain, Split.SEALED) for domain in config.domains), config.sealed_looks)


def open_sealed(path: Path, method_id: str, count: int, say: Callable[[str], None], trust: bool = False) -> tuple[Opened, ...]:
    """Judge a method on `count` sealed instances of every domain, and record the look in the run and beside the vault.

    Raises BudgetRefused when the sealed instances were opened as often as they may be, and UsageError when the run was scored
    with another vault.
    """
    archive = Archive.open(path, write=True)
    with contextlib.closing(archive):
        config = stored_config(archive)
        task, executor = tasks.load(config.task), known_executor(config, path)
        check_origin(archive, task)
        now = seal(config)
        if now.opened >= now.budget:
            spent = f"the sealed instances of this vault were opened {now.opened} times, and {now.budget} is the limit"
            raise BudgetRefused(f"{spent}: what is opened again and again is no longer sealed (a new vault has new ones)")
        domains = (*config.domains, *task.held_out_domains)
        names = instances(config, domains, Split.SEALED, count)
        method = next(m.method for m in archive.methods() if m.id == method_id)
        with judge_resources(task, names, config.device, trust=trust) as resources:
            record_weak_walls(archive, resources.sandbox)
            opened = []
            with executors.opened(executor, resources.judge, config.workers), resources.stopped_at_the_end():
                jobs = {d: Job("evaluate", method, tuple(n for n in names if n.domain == d)) for d in domains}
                futures = {domain: executor.submit(job) for domain, job in jobs.items()}
                for domain, future in futures.items():
                    say(f"judging on {domain}")
                    opened.append(_record(archive, resources.vault, domain, future.result(), config))
        return tuple(opened)


def _record(archive: Archive, vault: Vault, domain: str, evaluation: Evaluation, config: Config) -> Opened:
    """Store a sealed evaluation and the look at it."""
    ok, trials = evaluation.status is Status.OK, len(evaluation.trials)
    interval = pgr.interval(evaluation.scores) if ok else None  # also of fewer instances than a fitness needs
    lineage = Lineages(archive, config.domains).ancestor_seed(evaluation.method)
    with archive.transaction():
        archive.add_evaluation(evaluation, None, domain, Split.SEALED, interval)
        archive.look(Look(_WHO, evaluation.method, lineage, domain, Split.SEALED, trials, _WHY))
        archive.event("sealed", f"the sealed instances of {domain} were opened", None, evaluation.method)
    vault.log_look(_WHO, evaluation.method, domain, Split.SEALED, trials)
    return Opened(domain, trials, evaluation.status, evaluation.message, interval)
