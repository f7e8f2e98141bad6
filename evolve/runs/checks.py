"""Checks whether a run may begin, or go on, on this machine."""

from __future__ import annotations

import json
from pathlib import Path

from archives.archive import Archive
from evolve import executors
from evolve.config import Config, resolve
from evolve.errors import UsageError
from evolve.grids import measures_of
from evolve.selection.strategies import strategy
from fitness import registry, tasks
from fitness.sandbox.doctor import CONTAINED, LEVELS
from fitness.sandbox.sandbox import Sandbox
from fitness.tasks import Task
from fitness.vault.vault import Vault


def admitted(config: Config) -> Config:
    """Return what a user configured, with the name that the task goes by here and, where none was said, its first domain.

    The task may be a file, which is imported: never call this with what an archive says. Raises UsageError.
    """
    name = tasks.admit(config.task)
    domain = config.domain if "domain" in config.model_fields_set else tasks.load(name).search_domains[0]
    return config.model_copy(update={"task": name, "domain": domain})


def check_config(task: Task, config: Config) -> None:
    """Raise UsageError when a task cannot be searched as configured."""
    for domain in config.domains:
        if domain not in task.search_domains:
            raise UsageError(f"{domain!r} is not a search domain of {task.name}: choose among {', '.join(task.search_domains)}")
    if config.dev_instances < task.least_instances:
        least = f"{task.name} places a method only after {task.least_instances} dev instances of each search domain"
        raise UsageError(f"dev_instances = {config.dev_instances} is too few: {least}")
    strategy(config.strategy)
    measures_of(task, config)
    executors.load(config.executor)


def stored_config(archive: Archive, executor: object = None) -> Config:
    """Return a run's configuration, checked as if it were new: the archive may be a stranger's. Raises UsageError.

    `executor` is the one that the user names: the run's own is imported only when it is of our table.
    """
    run = archive.run()
    return config_of(run.config, run.task, archive.path, executor)


def config_of(text: str, task: str, path: Path, executor: object = None) -> Config:
    """Return a configuration out of an archive of a task, checked as if it were new. Raises UsageError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("task") != task:
        raise UsageError(f"the configuration in {path} cannot be read: it is damaged or was tampered with")
    config = resolve(found, {"executor": executor})
    if executor is None and registry.is_reference(config.executor):
        own = f"{path} was judged by {config.executor}, code of somebody's own"
        raise UsageError(f"{own}: to go on with it, say resume --executor {config.executor}, or --executor local")
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
