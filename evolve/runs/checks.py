"""Checks whether a run may begin, or go on, on this machine, and looks up once what it works with."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archives.archive import Archive
from archives.grid import Grid
from evolve import config as settings
from evolve import executors
from evolve.config import Config
from evolve.errors import UsageError
from evolve.executors import Executor
from evolve.grids import grid_for, measures_of
from evolve.nouns import Model, Operator
from evolve.runs.resources import load_models, load_operators
from evolve.runs.scale_check import task_of_sizes
from evolve.search.context import held_out_instances, wanted_instances
from evolve.selection import strategies
from evolve.selection.strategies import strategy
from fitness import registry, tasks
from fitness.sandbox.doctor import CONTAINED, LEVELS
from fitness.sandbox.sandbox import Sandbox
from fitness.tasks import Task
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault

NO_FILES = dict[str, str]()


def admitted(config: Config) -> Config:
    """Return what a user configured, with the names that task and strategy go by here and, if none was said, the first domain.

    Both may be files, which are imported: never call this with what an archive says. Raises UsageError.
    """
    searched = strategies.admit(config.strategy)
    name = tasks.admit(config.task) if config.data is None else tasks.admit_data(config.task, config.data, **_of_data(config))
    domain = config.domain if "domain" in config.model_fields_set else tasks.load(name).search_domains[0]
    return config.model_copy(update={"task": name, "domain": domain, "strategy": searched})


def _of_data(config: Config) -> dict[str, object]:
    """Return what a configuration says of the user's own data; the domains that are named are those that are searched."""
    search = config.domains if "domain" in config.model_fields_set else ()
    return {**config.model_dump(include=settings.OF_DATA), **config.options, "search": search}


@dataclass(frozen=True)
class Given:
    """Objects that a caller hands over, beside what the configuration names; a resume is handed them again.

    Attributes:
        operators: used beside those of the table; one with the name of another takes its place.
        executor: judges instead of the executor that is named.
    """

    operators: tuple[Operator, ...] = ()
    executor: Executor | None = None


NOTHING = Given()


def given_objects(operators: object, executor: object) -> Given:
    """Return what is handed over as objects. Raises UsageError for an object of another kind."""
    if not isinstance(operators, list | tuple):
        raise UsageError(f"operators takes a list of operators, got {operators!r:.80}")
    for operator in operators:
        check_attributes(operator, "operators", ("name", "needs_model", "parents", "subject", "propose"))
    handed: dict[str, Any] = {"operators": tuple(operators)}
    if not isinstance(executor, str | None):
        check_attributes(executor, "executor", ("open", "submit", "cancel", "close"))
        handed["executor"] = executor
    return Given(**handed)


def check_attributes(value: object, name: str, attributes: Sequence[str]) -> None:
    """Raise UsageError for a value that lacks some attributes, or is a class."""
    missing = [attribute for attribute in attributes if not hasattr(value, attribute)]
    if missing or isinstance(value, type):
        what = f"it has no {missing[0]}" if missing else "it is a class: hand over an instance"
        raise UsageError(f"{name} cannot take {value!r:.80}: {what}")


@dataclass(frozen=True)
class Setup:
    """What a run works with, looked up once from its configuration and from what its caller handed over.

    Attributes:
        grid: the run's own when it goes on, else the one that its configuration asks for.
        instances: in the order they are needed: dev, fresh, held-out.
        executor: where methods are judged, not yet open.
        stop: ends the run's waits, those of its models too, once it is set.
    """

    config: Config
    task: Task
    models: Mapping[str, Model]
    operators: Mapping[str, Operator]
    grid: Grid
    instances: tuple[InstanceName, ...]
    executor: Executor
    stop: threading.Event


def resolve(config: Config, path: Path | None = None, given: Given = NOTHING, grid: Grid | None = None) -> Setup:
    """Look up what a configuration names; nothing is written or asked. Raises EvolveError for what cannot be used here.

    Args:
        path: the run's archive, of which a command sees nothing.
        grid: the grid of a run that goes on.
    """
    task = tasks.load(config.task)
    operators = load_operators(task, config, given.operators)
    check_config(task, config)
    config = config.model_copy(update={"held_out_instances": held_out_instances(task, config)})  # stored: a run keeps its own
    check_operators(config.strategy, operators)
    if config.scale_check:
        task_of_sizes(task)
    stop = threading.Event()
    return Setup(
        config=config,
        task=task,
        models=load_models(config, stop, path),
        operators=operators,
        grid=grid or grid_for(task, config),
        instances=tuple(wanted_instances(task, config)),
        executor=given.executor or executors.load(config.executor),
        stop=stop,
    )


def check_config(task: Task, config: Config) -> None:
    """Raise UsageError when a task cannot be searched as configured."""
    for domain in config.domains:
        if domain in task.absent:
            raise UsageError(task.absent[domain])
        if domain not in task.search_domains:
            raise UsageError(f"{domain!r} is not a search domain of {task.name}: choose among {', '.join(task.search_domains)}")
    if config.dev_instances < task.least_instances:
        least = f"{task.name} places a method only after {task.least_instances} dev instances of each search domain"
        raise UsageError(f"dev_instances = {config.dev_instances} is too few: {least}")
    strategy(config.strategy)
    measures_of(task, config)


def check_operators(name: str, operators: Mapping[str, Operator]) -> None:
    """Raise UsageError when a strategy could breed with none of a run's operators."""
    breeding = [operator.name for operator in operators.values() if operator.subject == "parents"]
    wanted = strategy(name).operators
    if wanted and not set(wanted) & set(breeding):
        raise UsageError(f"the strategy {name} breeds by {', '.join(wanted)} alone, and this run has {', '.join(breeding)}")


def stored_config(archive: Archive) -> Config:
    """Return a run's configuration, checked as if it were new: the archive may be a stranger's. Raises UsageError."""
    run = archive.run()
    files = dict(str(row["text"]).rpartition(" ")[::2] for row in archive.rows("select text from events where kind = 'data'"))
    return config_of(run.config, run.task, archive.path, files)


# what runs did that were begun before there were such settings
BEFORE = {"disclosure": "ladder", "experiments": 0.0, "pairing": "rank"}


def config_of(text: str, task: str, path: Path, files: Mapping[str, str] = NO_FILES) -> Config:
    """Return a configuration out of an archive of a task, checked as if it were new. Raises UsageError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("task") != task:
        raise UsageError(f"the configuration in {path} cannot be read: it is damaged or was tampered with")
    config = settings.resolve({**BEFORE, **found})
    if config.data is not None and tasks.named_data():
        _admit_again(config, path, files)
    check_config(tasks.load(config.task), config)
    return config


def _admit_again(config: Config, path: Path, files: Mapping[str, str]) -> None:
    """Make a run's task of the data that the user names now. Raises UsageError, naming what has changed since."""
    from fitness.tasks.data.task import changed

    folder, base = tasks.named_data(), config.task.rpartition("-")[0]
    name = tasks.admit_data(base, folder, **_of_data(config))
    if name != config.task:
        what = changed(files, tasks.load(name).options["files"]) or "it holds others"
        raise UsageError(f"the data in {folder} are not those of {path} any more ({what}): put them back, or begin a new run")


def known_executor(config: Config, path: Path) -> Executor:
    """Return the executor that an archive names, not yet open: one of our table, for nothing else is imported on its word.

    Raises UsageError.
    """
    if registry.is_reference(config.executor):
        own = f"{path} was judged by {config.executor}, code of somebody's own"
        raise UsageError(f"{own}: to go on with it, say resume --executor {config.executor}, or --executor local")
    return executors.load(config.executor)


CHANGEABLE = (
    "evals", "usd", "tokens", "minutes", "workers", "model", "base_url", "trackers", "device", "trust_methods", "executor",
    "scale_check",
)  # fmt: skip


@dataclass(frozen=True)
class Continuation:
    """What it means to go on with a run.

    Attributes:
        changes: settings that are new, `config` with them.
        note: how far the run is, as a sentence.
    """

    path: Path
    changes: Mapping[str, object]
    config: Config
    note: str


def continuation(path: Path, changes: Mapping[str, object]) -> Continuation:
    """Return what going on with a run means; `evals` may be a new total, or `+N` for N more. Raises EvolveError."""
    settings.check_keys(changes, "resume", CHANGEABLE)
    with contextlib.closing(Archive.open(path)) as archive:
        stored, done = stored_config(archive), archive.judged()
    given = {**changes, "evals": _total(changes.get("evals"), stored.evals)}
    given = {name: value for name, value in given.items() if value not in (None, ())}
    config = settings.resolve(stored.model_dump(), given)
    more = "" if done < config.evals else ", the whole budget; to breed more: --evals +100"
    note = f"going on with {path}: {done:,} of {config.evals:,} evaluations are done{more}"
    return Continuation(path, given, config, note)


def _total(evals: object, before: int) -> int | None:
    """Return the new total that `N` or `+N` means. Raises UsageError when it is no number or not more than 0."""
    if evals is None:
        return None
    text = str(evals)
    try:
        total = before + int(text[1:]) if text.startswith("+") else int(text)
    except ValueError:
        raise UsageError(f"--evals takes a number such as 500, or +100 for 100 more, got {text!r}") from None
    if total < 1:
        raise UsageError(f"--evals must be at least 1, got {text!r}")
    return total


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


def check_origin(archive: Archive, task: Task) -> None:
    """Raise UsageError when a run was scored with another vault, or on another version of its task, than is here."""
    run, here = archive.run(), Vault().fingerprint
    if here != run.vault:
        raise UsageError(
            f"{archive.path} was scored with vault {run.vault}, but the vault here is {here}: "
            "set EVOLVE_HOME to the folder it was started with"
        )
    if task.version != run.task_version:
        raise UsageError(f"{archive.path} was scored on version {run.task_version} of the task, this is {task.version}")
