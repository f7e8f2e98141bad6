"""The lab: everything one run works with, opened together and closed together."""

from __future__ import annotations

import contextlib
import ctypes
import glob
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archives.archive import Archive
from archives.grid import Grid
from evolve import executors, models, operators, trackers
from evolve.budget import Budget
from evolve.config import Config, resolve
from evolve.errors import UsageError
from evolve.gridding import measures_of
from evolve.models.retry import Clock
from evolve.models.usage import Price
from evolve.nouns import Model, Operator
from evolve.screen import Screen
from evolve.study.plan import PLAN
from evolve.syntax import Syntax
from evolve.watch import Watch
from fitness import tasks
from fitness.builder import Builder
from fitness.judge import Evaluator, Judge
from fitness.nouns import Split
from fitness.sandbox.client import Sandbox, opened
from fitness.sandbox.device import choose
from fitness.sandbox.doctor import CONTAINED, LEVELS
from fitness.tasks import Task
from fitness.vault import InstanceName, Vault

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
IDLE = 0.2  # seconds between looks at the stop flag while something is awaited


@dataclass(frozen=True)
class Desk:
    """What a search needs of judging: the task, who judges, the syntax worker, and the flag that stops it."""

    task: Task
    judge: Evaluator
    syntax: Syntax
    stop: threading.Event


@dataclass(frozen=True)
class Bench(Desk):
    """A desk with all that judging itself needs, with or without a run."""

    vault: Vault
    builder: Builder
    sandbox: Sandbox


@dataclass
class Lab:
    """A desk with a run on it.

    Attributes:
        system: the system text of the run's model calls, "" without a model.
        built: returns how many instances there are, and how many are wanted.
    """

    config: Config
    archive: Archive
    bench: Desk
    screen: Screen
    budget: Budget
    grid: Grid
    watch: Watch
    operators: dict[str, Operator]
    models: dict[str, Model]
    system: str = ""
    built: Callable[[], tuple[int, int]] = lambda: (0, 0)


@contextlib.contextmanager
def bench(task_name: str, wanted: Sequence[InstanceName], device: str = "auto", *, trust: bool = False) -> Iterator[Bench]:
    """Open what judging needs and begin to build the wanted instances; everything it started is gone when the block ends.

    With `trust`, methods run below sandbox level B too. Raises DeviceUnavailable, before anything is begun, when the device is
    `cuda` and there is none; SandboxUnavailable when the walls are too few, and VaultError when the vault cannot be used.
    """
    task, stop, choice = tasks.load(task_name), threading.Event(), choose(device)
    _return_large_arrays()
    with contextlib.ExitStack() as stack:
        syntax = stack.enter_context(Syntax())
        vault = Vault()
        builder = stack.enter_context(Builder(vault, task))
        builder.start(wanted)
        syntax.warm()
        sandbox = stack.enter_context(opened(choice, trust))

        def wait(name: InstanceName) -> None:
            while not stop.is_set() and not vault.ready(task, name.domain, name.split, name.index):
                with contextlib.suppress(TimeoutError):
                    builder.wait_for(name, IDLE)

        yield Bench(task, Judge(task, vault, sandbox, wait, stop), syntax, stop, vault, builder, sandbox)


def _return_large_arrays() -> None:
    """Make glibc give arrays above 1 MB back when they are freed: by default it learns to keep 7 MB a trial and thread."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, 1 << 20)


def check_config(task: Task, config: Config) -> None:
    """Raise UsageError when a task cannot be searched as configured."""
    for domain in config.domains:
        if domain not in task.search_domains:
            raise UsageError(f"{domain!r} is not a search domain of {task.name}: choose among {', '.join(task.search_domains)}")
    if config.dev_instances < task.least_instances:
        least = f"{task.name} places a method only after {task.least_instances} dev instances of each search domain"
        raise UsageError(f"dev_instances = {config.dev_instances} is too few: {least}")
    measures_of(task, config)
    executors.load(config.executor, 1).close()


def stored_config(archive: Archive) -> Config:
    """Return a run's configuration, checked as if it were new: the archive may be a stranger's. Raises UsageError."""
    run = archive.run()
    return config_of(run.config, run.task, archive.path)


def config_of(text: str, task: str, path: Path) -> Config:
    """Return a configuration out of an archive of a task, checked as if it were new. Raises UsageError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("task") != task:
        raise UsageError(f"the configuration in {path} cannot be read: it is damaged or was tampered with")
    config = resolve(found)
    check_config(tasks.load(config.task), config)
    return config


def record_walls(archive: Archive, sandbox: Sandbox) -> None:
    """Store the worst sandbox level that a run's methods ever ran at, and what this machine lacks."""
    order = list(LEVELS)
    known = archive.run().level
    worst = max(known if known in order else order[-1], sandbox.level, key=order.index)
    with archive.transaction():
        archive.update_run(level=worst)
        archive.event("sandbox", sandbox.summary)


def record_weak_walls(archive: Archive, sandbox: Sandbox) -> None:
    """Store the sandbox level when it does not contain methods: what is judged outside a search may make a run's worse."""
    if sandbox.level not in CONTAINED:
        record_walls(archive, sandbox)


def check_origin(archive: Archive) -> None:
    """Raise UsageError when a run was scored with another vault, or on another version of its task, than is here."""
    run, here = archive.run(), Vault().fingerprint
    if here != run.vault:
        raise UsageError(
            f"{archive.path} was scored with vault {run.vault}, but the vault here is {here}: "
            "set EVOLVE_HOME to the folder it was started with"
        )
    version = tasks.load(run.task).version
    if version != run.task_version:
        raise UsageError(f"{archive.path} was scored on version {run.task_version} of the task, this is {version}")


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
    return [(d, len(range(i, config.held_out_instances, len(domains)))) for i, d in enumerate(domains)]


def load_models(config: Config, stop: threading.Event | None = None, run: Path | None = None) -> dict[str, Model]:
    """Return the models of a run by name; `stop` cuts their waits short, and a command sees nothing of the run's archive.

    Raises UsageError or ModelError with the sentence that says what is missing.
    """
    from evolve.models.endpoint import has_secrets

    if config.base_url and has_secrets(config.base_url):
        where = "set the variable OPENAI_BASE_URL instead, which is never stored"
        raise UsageError(f"a base URL with a password or a query would be kept in the run and its reports: {where}")
    settings = models.Settings(
        tokens_out=config.reply_tokens,
        thinking=config.thinking,
        clock=Clock(sleep=stop.wait) if stop else Clock(),
        prices={spec: Price(price.input, price.output, price.cached) for spec, price in config.prices.items()},
        run=run,
        hidden=_of_the_run(run) if run else (),
    )
    return {spec: models.load(spec, config.base_url, settings=settings) for spec in config.model}


def _of_the_run(path: Path) -> tuple[Path, ...]:
    """Return where exact scores lie: the archive with all that is named after it, its study, trackers' files, the runs."""
    study = (path.parent,) if (path.parent / PLAN).exists() else ()
    return (*sorted(path.parent.glob(f"{glob.escape(path.stem)}*")), *study, trackers.folder(path), Path("runs"))


def load_operators(config: Config) -> dict[str, Operator]:
    """Return the operators of a run: the offline ones, and those that need a model when there is one."""
    loaded = {name: operators.load(name) for name in operators.TABLE}
    return {name: op for name, op in loaded.items() if config.model or not op.needs_model}
