"""Holds what a search is given: configuration, archive, judge, operators, models, and the instances it is scored on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archives.archive import Archive
from archives.grid import Grid
from evolve.budget import Budget
from evolve.config import Config
from evolve.executors import Executor
from evolve.executors.local import Local
from evolve.nouns import Model, Operator
from evolve.observer import Observer
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from fitness.judge import Evaluator
from fitness.nouns import Split
from fitness.pgr import FEWEST
from fitness.tasks import Task
from fitness.vault.instance import InstanceName


@dataclass(frozen=True)
class Judging:
    """What a search needs of judging: the task, the judge, the worker that parses, and the flag that stops it."""

    task: Task
    judge: Evaluator
    worker: WorkerProcess
    stop: threading.Event


@dataclass
class RunContext:
    """All that one session of a run works with.

    Attributes:
        system: the system text of the run's model calls, "" without a model.
        built: returns how many instances there are, and how many are wanted.
        executor: where methods are judged, opened anew for each phase of a session.
        adds: returns the share of dev rows that one method has wrong and another right (RowStore.adds); None without such rows.
    """

    config: Config
    archive: Archive
    judging: Judging
    screen: Screen
    budget: Budget
    grid: Grid
    watch: Observer
    operators: dict[str, Operator]
    models: dict[str, Model]
    system: str = ""
    built: Callable[[], tuple[int, int]] = lambda: (0, 0)
    executor: Executor = field(default_factory=Local)
    adds: Callable[[str, str], float | None] | None = None

    def open_executor(self) -> Executor:
        """Return the executor, ready for jobs."""
        self.executor.open(self.judging.judge, self.config.workers)
        return self.executor


def wanted_instances(task: Task, config: Config) -> list[InstanceName]:
    """Return the instances of a run, in the order they are needed: dev, fresh, held-out."""
    chosen = dev_instances(config) + fresh_instances(config)
    return chosen + [name for domain, n in held_out(task, config) for name in instances(config, (domain,), Split.FRESH, n)]


def dev_instances(config: Config) -> list[InstanceName]:
    """Return the instances that the search is scored on, the search domains in turn."""
    return instances(config, config.domains, Split.DEV, config.dev_instances)


def fresh_instances(config: Config) -> list[InstanceName]:
    """Return the instances that finalists are judged on after selection, the search domains in turn."""
    return instances(config, config.domains, Split.FRESH, config.fresh_instances)


def instances(config: Config, domains: Sequence[str], split: Split, count: int) -> list[InstanceName]:
    """Return the first instances of each of several domains, the domains in turn."""
    return [InstanceName(config.task, domain, split, i) for i in range(count) for domain in domains]


def held_out(task: Task, config: Config) -> list[tuple[str, int]]:
    """Return how many instances each held-out domain has: the configured number, dealt out in turn."""
    domains = task.held_out_domains
    total = held_out_instances(task, config)
    return [(d, len(range(i, total, len(domains)))) for i, d in enumerate(domains)]


def held_out_instances(task: Task, config: Config) -> int:
    """Return how many instances the held-out domains have in all: by default as few of each as have an interval."""
    asked = config.held_out_instances
    return FEWEST * len(task.held_out_domains) if asked is None else asked
