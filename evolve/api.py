"""Starts, opens and goes on with runs, and judges files, from Python: scripts and notebooks call these functions.

They do what the verbs of the same names do. Tables are lists of dictionaries with the fields of `--json`. What cannot be used
raises an EvolveError whose message is one sentence.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from archives.archive import Archive
from evolve import config as settings
from evolve import trackers
from evolve.config import Config
from evolve.errors import UsageError
from evolve.executors import Executor
from evolve.nouns import Operator
from evolve.observer import NullObserver, Observer
from evolve.queries.contested import contested
from evolve.queries.filtering import Wanted, board
from evolve.queries.final_table import comparisons
from evolve.queries.lineage import lineage_of
from evolve.queries.method import MethodDetails, method_details
from evolve.queries.scale_table import scale_table
from evolve.queries.status import run_status
from evolve.report import progress
from evolve.report.export import write_best
from evolve.runs import find, session
from evolve.runs.checks import CHANGEABLE, NOTHING, Given, admitted, check_attributes, continuation, given_objects
from evolve.runs.judge import JudgeRequest
from evolve.runs.judge import judge as judge_files
from evolve.runs.process import claimed, is_running
from evolve.runs.seeds import add_seed, read
from evolve.selection import strategies
from fitness import registry, tasks
from fitness.tasks import OwnTask, Task

if TYPE_CHECKING:
    from evolve.runs.session import Ending

Where = str | PathLike[str]
Watcher = Observer | Literal["auto"] | None  # auto: a live table on a terminal or in a notebook, plain lines elsewhere
Row = dict[str, Any]


class Run:
    """A run. It holds no file open: every question opens the archive anew, also while another process works on it."""

    def __init__(self, path: Path, given: Given = NOTHING) -> None:
        self.path, self._given = path, given

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def status(self) -> Row:
        """Return where the run stands: evaluations, best, baselines, budget."""
        with find.reading(self.path) as archive:
            return asdict(run_status(archive, alive=is_running(self.path)))

    def leaderboard(self, n: int = 10, **wanted: Any) -> list[Row]:
        """Return the `n` best methods; `wanted` are the options of `top`: by, reverse, domain, flagged, island and so on."""
        settings.check_keys(wanted, "leaderboard", list(Wanted.__dataclass_fields__))
        with find.reading(self.path) as archive:
            return [asdict(row) for row in board(archive, Wanted(**wanted), _count(n, "n"))]

    def method(self, key: str = "best") -> MethodDetails:
        """Return all about a method, by its name or the first characters of its id; "best" is the champion, or the best yet."""
        with find.reading(self.path) as archive:
            return method_details(archive, _method(archive, key))

    def lineage(self, key: str = "best") -> list[Row]:
        """Return a method and its ancestors down to the seeds, with the gain of each edge."""
        with find.reading(self.path) as archive:
            return [asdict(ancestor) for ancestor in lineage_of(archive, _method(archive, key)).ancestors]

    def final_table(self) -> list[Row]:
        """Return the champion beside the human best on fresh instances, a row a domain; empty before the run has finished."""
        with find.reading(self.path) as archive:
            run, searched = archive.run(), run_status(archive, alive=False).domain
            return [asdict(row) for row in comparisons(archive, run.champion, run.human_best, searched)]

    def scale_table(self) -> Row | None:
        """Return the champion beside the human best on each size of model; None for a run without scale_check."""
        with find.reading(self.path) as archive:
            table = scale_table(archive)
        return None if table is None else asdict(table)

    def contested(self) -> list[Row]:
        """Return the finalists that a probe failed on some instance that selection never saw, with the evidence."""
        with find.reading(self.path) as archive:
            return [asdict(row) for row in contested(archive, run_status(archive, alive=False).domain)]

    def export(self, path: Where, key: str = "best") -> Path:
        """Write a method as a file that says where it came from, and return its path."""
        with contextlib.closing(Archive.open(self.path)) as archive:
            return write_best(archive, _method(archive, key), _path(path, "export"))

    def write_report(self, path: Where | None = None) -> Path:
        """Write the self-contained page about the run (default: beside the archive), and return its path."""
        from evolve.report.html.page import write_report

        where = None if path is None else _path(path, "write_report")
        with contextlib.closing(Archive.open(self.path)) as archive:
            return write_report(archive, where, alive=is_running(self.path))

    def resume(self, *, observer: Watcher = "auto", **changes: Any) -> Run:
        """Go on with the run: see `evolve.resume`. What `start` was handed is handed over again."""
        return _resume(self.path, self._given, observer, changes)

    def add_seed(self, file: Where, *, trust_methods: bool = False) -> Row:
        """Check a file, judge it on the run's dev instances, and add it to its islands; `status` says what became of it."""
        return asdict(add_seed(self.path, read(_path(file, "add_seed")), trust_methods))


def start(
    config: Config | Where | None = None,
    *,
    path: Where | None = None,
    observer: Watcher = "auto",
    task: str | Task | OwnTask | None = None,
    operators: Sequence[Operator] = (),
    executor: str | Executor | None = None,
    **keys: Any,
) -> Run:
    """Breed methods, and return the run when it has ended; an interrupt ends it cleanly, and `resume` goes on.

    Args:
        config: settings, or a TOML file of them; none of evolve.toml is read unless it is named.
        path: where to write the archive (default: runs/DATE-TIME.db).
        observer: is told of every evaluation and event; None is told nothing.
        task: its name, or the task itself.
        operators: operators of your own, used beside the others.
        executor: its name, or the executor itself.
        keys: settings, named as in evolve.toml; they win over `config`.

    Raises:
        EvolveError: when the run cannot begin as configured; nothing has been written then.
    """
    given = given_objects(operators, executor)
    settings.check_keys(keys, "start")
    named = {"task": _task(task), "executor": executor if isinstance(executor, str) else None}
    chosen = admitted(settings.resolve(_base(config), keys, named))
    trackers.check(chosen.trackers)
    with claimed(None if path is None else _path(path, "path")) as where, _watching(observer) as watch:
        watch.event("note", f"run {where}: {chosen.evals} evaluations on {chosen.task}/{chosen.domain}, seed {chosen.seed}")
        _carry_out(chosen, where, watch, lambda beside: session.start(chosen, where, beside, given))
    return Run(where, given)


def resume(
    path: Where,
    *,
    observer: Watcher = "auto",
    task: str | Task | OwnTask | None = None,
    operators: Sequence[Operator] = (),
    executor: str | Executor | None = None,
    strategy: str = "",
    **changes: Any,
) -> Run:
    """Go on with a run, with what is left of its budget, or with other limits: `evals=500`, or `evals="+100"` for 100 more.

    What `start` was handed as an object, or found in a file of your own, is handed over again. Raises EvolveError when the run
    cannot go on here.
    """
    where, name = _path(path, "resume"), _task(task)
    strategies.admit(strategy)
    settings.check_keys(changes, "resume", CHANGEABLE)
    with contextlib.closing(Archive.open(where)) as archive:
        if name not in (None, archive.run().task):
            raise UsageError(f"{where} searches on {archive.run().task!r}, but the task that was handed over is {name!r}")
    if isinstance(executor, str):
        changes["executor"] = executor
    return _resume(where, given_objects(operators, executor), observer, changes)


def open_run(path: Where | None = None) -> Run:
    """Return a run to be read (default: the newest in runs/), also one that another process works on. Raises EvolveError."""
    run = Run(find.find_run(None if path is None else _path(path, "open_run")))
    Archive.open(run.path).close()
    return run


def judge(
    file: Where,
    *more: Where,
    against: Where = "",
    db: Where | None = None,
    task: str | Task | OwnTask = "embedded",
    domain: str | None = None,
    instances: int = 5,
    probes: bool = True,
    workers: int = 2,
    device: str = "auto",
    trust_methods: bool = False,
) -> Any:
    """Judge method files outside any run; return the verdict of one, with the fields of `--json`, or a list of several.

    They run on instances of their own, and every look at them is counted. `against` is "best" (the champion of `db`, or of the
    newest run), a human baseline or a file: both methods of a pair are then handed the same rows, order and seed, and the field
    `against` holds their paired difference. Raises EvolveError; a method that fails raises nothing.
    """
    named, several = _task(task) or "embedded", _count(instances, "instances")
    settings.resolve({"workers": workers, "device": device, "trust_methods": trust_methods})
    other, archive = os.fspath(_path(against, "against")) if against else "", None if db is None else _path(db, "db")
    how = JudgeRequest(named, domain, several, probes, workers, device, trust_methods, other, archive)
    say = partial(print, file=sys.stderr)
    verdicts = judge_files([read(_path(one, "judge")) for one in (file, *more)], how, say, say)
    return verdicts if more else verdicts[0]


def _resume(path: Path, given: Given, observer: Watcher, changes: Row) -> Run:
    to_do = continuation(path, changes)
    followed, missing = trackers.usable(to_do.config.trackers, changes.get("trackers", ()))
    config = to_do.config.model_copy(update={"trackers": followed})
    with _watching(observer) as watch:
        for note in (to_do.note, *missing):
            watch.event("note", note)
        _carry_out(config, path, watch, lambda beside: session.resume(path, to_do.changes, beside, given))
    return Run(path, given)


def _carry_out(config: Config, path: Path, watch: Observer, work: Callable[[Observer], Ending]) -> None:
    """Do one session of a run, with its trackers beside it, and say how it ended."""
    from evolve.trackers.following import following

    with following(config.trackers, path, lambda sentence: watch.event("note", sentence)) as beside:
        end = work(beside.beside(watch))
        beside.end(end)
    watch.event("note", end.verdict if end.verdict and not end.interrupted else f"it was interrupted; {path} can be resumed")


@contextlib.contextmanager
def _watching(observer: Watcher) -> Iterator[Observer]:
    """Return what is told of the run. Raises UsageError for what cannot be told anything."""
    if observer is None:
        yield NullObserver()
    elif observer == "auto":
        with progress.choose() as watch:
            yield watch
    else:
        check_attributes(observer, "observer", ("event", "snapshot"))
        yield observer


def _task(task: object) -> str | None:
    """Return the name that a task goes by here. Raises UsageError for what is no task."""
    registry.ends_definitions()
    if task is None or isinstance(task, str):
        return tasks.admit(task) if task is not None else None
    if not isinstance(task, Task | OwnTask):
        raise UsageError(f"task cannot take {task!r:.80}: hand over a Task, or name one")
    return tasks.register(task)


def _base(config: object) -> Row:
    if config is None:
        return {}
    if isinstance(config, Config):
        return config.model_dump()
    return settings.read_file(_path(config, "config"))


def _path(value: object, name: str) -> Path:
    if not isinstance(value, str | PathLike):
        raise UsageError(f"{name} takes the path of a file, got {value!r:.80}")
    return Path(value)


def _count(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(f"{name} is a number of 1 or more, got {value!r:.80}")
    return value


def _method(archive: Archive, key: object) -> str:
    if not isinstance(key, str):
        raise UsageError(f"a method is named by a text, got {key!r:.80}")
    return find.choose_method(archive, None if key == "best" else key)
