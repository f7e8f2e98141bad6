"""Runs one session of a run, from the first check to the paths printed at the end: what `start` and `resume` share."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from archives.archive import Archive
from archives.grid import dump
from archives.nouns import MethodRecord, RunRecord
from archives.sqlite.place import remove
from evolve import __version__, models, operators
from evolve.budget import Budget, Limit
from evolve.config import Config
from evolve.config import resolve as merged
from evolve.files import run_name
from evolve.grids import grid_of
from evolve.observer import Observer
from evolve.operators.offline.prospects import outlook
from evolve.prompting.words import digest
from evolve.queries import words
from evolve.runs.checks import NOTHING, Given, Setup, check_origin, known_executor, record_walls, resolve, stored_config
from evolve.runs.forecast import check_budget, system_text
from evolve.runs.process import claimed, only_writer, stop_on_interrupt
from evolve.runs.resources import JudgeResources, judge_resources
from evolve.runs.scale_check import check_sizes
from evolve.runs.seeds import collect, screen_seeds, watch_known
from evolve.runs.task_check import before_start
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from evolve.search.context import RunContext
from evolve.search.final_evaluation import FinalEvaluation
from evolve.search.final_result import Result
from evolve.search.loop import Loop
from evolve.search.parts import assemble
from evolve.text import count, one_line
from fitness import tasks


@dataclass(frozen=True)
class Ending:
    """How a session ended.

    Attributes:
        path: the archive.
        result: the final table, or None when the run was interrupted or no method could be its champion.
        verdict: the sentence that says what the run showed, or why it has no champion; "" when it was interrupted before.
        interrupted: whether the user stopped it.
        evaluations: methods judged in the run so far.
        device: where methods ran, cpu or cuda.
        seconds: wall clock of the run; `engine_seconds`: what the engine used of it, without waiting.
    """

    path: Path
    result: Result | None
    verdict: str
    interrupted: bool
    evaluations: int
    device: str
    seconds: float
    engine_seconds: float


def check(config: Config, path: Path | None = None, given: Given = NOTHING) -> Setup:
    """Return what a run that can begin works with; nothing is written or asked. Raises EvolveError for one that cannot."""
    setup = resolve(config, path, given)
    check_budget(config, setup.models, system_text(setup.task, config.domains, config.tunes))
    return setup


def start(config: Config, path: Path, watch: Observer, given: Given = NOTHING) -> Ending:
    """Begin a new run at a path that the caller has claimed. Raises EvolveError with a sentence before anything is written."""
    with _new(config, path, watch, given) as (context, resources):
        return _session(context, resources)


def prepare(config: Config, path: Path, watch: Observer) -> None:
    """Judge the seeds of a run and the human baselines afresh, and breed nothing; the run is finished when that is done.

    Goes on with what was begun at the path. Raises EvolveError.
    """
    with contextlib.ExitStack() as stack:
        known = path.exists()
        stack.enter_context(contextlib.nullcontext() if known else claimed(path))
        opened = _known(path, {}, watch, NOTHING) if known else _new(config, path, watch, NOTHING)
        _prepare(*stack.enter_context(opened))


@contextlib.contextmanager
def _new(config: Config, path: Path, watch: Observer, given: Given) -> Iterator[tuple[RunContext, JudgeResources]]:
    """Open a new run, and what judges it."""
    with WorkerProcess() as worker:
        worker.warm()
        setup = check(config, path, given)
        if config.check_task and config.task not in tasks.TASKS:
            before_start(setup.task, lambda text: watch.event("phase", text))
        seeds = collect((Path(p) for p in config.seeds), setup.task.seeds, needed=True)
        watch.event("phase", f"screening {count(len(seeds), 'seed')}")
        methods = screen_seeds(worker, setup.task, seeds)
        if not setup.task.grammar and (note := outlook(setup.operators.values(), [m.source for m in methods], worker)):
            watch.event("note", note)
        # code of this checkout, and what its offline operators make of it
        ours = not (config.model or config.seeds or given.operators)
        baselines = [method for method in methods if method.origin == "seed"]
        with _judging(setup, ours or config.trust_methods, watch, baselines, worker) as resources:
            _warn(config, setup, watch)
            watch_known(config, resources, baselines, watch)
            setup = _settled(setup, resources, watch)
            with contextlib.closing(_begun(path, setup, resources, methods)) as archive:
                yield _context(setup, archive, resources, watch), resources


def _begun(path: Path, setup: Setup, resources: JudgeResources, methods: Sequence[MethodRecord]) -> Archive:
    """Return the archive of a run with its first rows in it; where they cannot be stored nothing stays that blocks its name."""
    archive = Archive.create(path)
    try:
        _store(archive, setup, resources, methods)
    except BaseException:
        archive.close()
        remove(path)
        raise
    return archive


@contextlib.contextmanager
def _judging(
    setup: Setup, trust: bool, watch: Observer, baselines: Sequence[MethodRecord], worker: WorkerProcess | None = None
) -> Iterator[JudgeResources]:
    watch.event("phase", "opening the sandbox and the vault")
    ids = [method.id for method in baselines]
    with judge_resources(
        setup.task, setup.instances, setup.config.device, trust=trust, stop=setup.stop, worker=worker, baselines=ids
    ) as resources:
        watch.event("sandbox", resources.sandbox.summary)
        yield resources


def resume(path: Path, changes: Mapping[str, object], watch: Observer, given: Given = NOTHING) -> Ending:
    """Go on with a run. Raises EvolveError when it cannot be, or needs the vault it was started with.

    What an archive says is no reason to trust its methods, or a server that no table of ours names: `changes` must say so.
    """
    with _known(path, changes, watch, given) as (context, resources):
        return _session(context, resources)


@contextlib.contextmanager
def _known(
    path: Path, changes: Mapping[str, object], watch: Observer, given: Given
) -> Iterator[tuple[RunContext, JudgeResources]]:
    """Open a run that was begun before, and what judges it."""
    with contextlib.closing(Archive.open(path, write=True)) as archive, only_writer(path):
        stored = stored_config(archive)
        config = merged(stored.model_dump(), changes)
        if config.model:
            unnamed = () if "model" in changes else stored.model
            models.check_familiar(unnamed, None if "base_url" in changes else stored.base_url)
        if given.executor is None and "executor" not in changes:
            given = replace(given, executor=known_executor(config, path))
        setup = resolve(config, path, given, grid_of(archive))
        check_budget(config, setup.models, archive.run().system)
        check_origin(archive, setup.task)
        for name in _left_out(archive, setup):
            watch.event("note", f"going on without the operator {name}, which was not named: say --operator FILE:CLASS again")
        baselines = archive.methods("origin = 'seed'")
        with _judging(setup, bool(changes.get("trust_methods")), watch, baselines) as resources:
            _warn(config, setup, watch)
            record_walls(archive, resources.sandbox)
            setup = _settled(setup, resources, watch)
            prompts = archive.run().prompts
            prompts = prompts if prompts == digest() else ""  # else its sessions were asked in different words
            archive.update_run(config=setup.config.model_dump_json(), state="running", prompts=prompts)
            _count_lost(archive, watch)
            yield _context(setup, archive, resources, watch), resources


def _left_out(archive: Archive, setup: Setup) -> list[str]:
    """Return the operators that a run bred with, and that neither our table nor the user names now."""
    used = [str(row["operator"]) for row in archive.rows("select distinct operator from proposals order by operator")]
    return [one_line(name, 40) for name in used if name not in setup.operators and name not in operators.TABLE]


def _count_lost(archive: Archive, watch: Observer) -> None:
    """Let the budget count calls that were under way when the run was cut off: they may have been charged."""
    lost = archive.lose_calls()
    if lost:
        text = f"{lost} model calls were under way when the run was cut off: the budget counts them at their worst case"
        archive.event("note", text)
        watch.event("note", text)


def _warn(config: Config, setup: Setup, watch: Observer) -> None:
    """Say which models could look into the vault, and which their servers do not list.

    Raises ModelError for one that cannot be asked, before work is done for it.
    """
    for sentence in (*models.dangers(config.model), *models.check_offers(setup.models.values())):
        watch.event("note", sentence)


def _settled(setup: Setup, resources: JudgeResources, watch: Observer) -> Setup:
    """Return the setup with the device that methods run on, and say where a GPU was not taken."""
    if resources.sandbox.note:
        watch.event("note", resources.sandbox.note)
    return replace(setup, config=setup.config.model_copy(update={"device": resources.sandbox.device}))


def _store(archive: Archive, setup: Setup, resources: JudgeResources, methods: Sequence[MethodRecord]) -> None:
    config, task = setup.config, setup.task
    with archive.transaction():
        archive.add_run(
            RunRecord(
                id=run_name(archive.path),
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                task=config.task,
                task_version=task.version,
                vault=resources.vault.fingerprint,
                config=config.model_dump_json(),
                seed=config.seed,
                state="running",
                level=resources.sandbox.level,
                evolve_version=__version__,
                system=system_text(task, config.domains, config.tunes) if config.model else "",
                prompts=digest() if config.model else "",
                grid=dump(setup.grid),
            )
        )
        record_walls(archive, resources.sandbox)
        if resources.task.reference:
            archive.event("task", f"{config.task} is {resources.task.reference}")
            archive.event(words.KIND, words.event_text(task.contract.words))
        files = [("data", f"{file} {held}") for file, held in task.options.get("files", {}).items()]
        for kind, text in (*files, *(("note", note) for note in task.notes)):
            archive.event(kind, text)
        for direction in resources.task.directions:
            archive.add_direction(direction)
        for method in methods:
            archive.add_method(method)


def _context(setup: Setup, archive: Archive, resources: JudgeResources, watch: Observer) -> RunContext:
    config = setup.config
    limit = Limit(config.evals, config.minutes, config.usd, config.tokens, config.max_calls, config.trials)
    run = archive.run()
    return RunContext(
        config=config,
        archive=archive,
        judging=resources,
        screen=Screen(resources.worker),
        budget=Budget(limit, archive.judged(), archive.counted(), run.seconds, archive.judged_trials(), archive.tried()),
        grid=setup.grid,
        watch=watch,
        operators=dict(setup.operators),
        models=dict(setup.models),
        executor=setup.executor,
        system=run.system,
        built=lambda: _built(resources),
        adds=resources.adds(config),
    )


def _built(resources: JudgeResources) -> tuple[int, int]:
    progress = resources.builder.progress()
    return progress.done, progress.total


def _session(context: RunContext, resources: JudgeResources) -> Ending:
    """Search, judge the champion, and store how it ended; the trials in flight are ended after a Ctrl-C."""
    archive, engine = context.archive, context.archive.run().engine_seconds
    parts = assemble(context)
    loop = Loop(context, parts)
    began, result, ended = time.monotonic(), None, False
    try:
        with stop_on_interrupt(context.judging.stop, context.watch, resources.sandbox.close):
            loop.run(archive.proposals("state in ('asked', 'proposed', 'judging', 'lost')"))
            engine += time.monotonic() - began - loop.live.waited
            archive.update_run(engine_seconds=engine)
            if not context.judging.stop.is_set():
                result = FinalEvaluation(context, parts).run()
                check_sizes(context, resources, parts.reporter)
            ended = not context.judging.stop.is_set()
    finally:
        archive.update_run(state="finished" if ended else "interrupted", seconds=context.budget.seconds)
    said, budget, device = archive.run().verdict, context.budget, context.config.device
    return Ending(archive.path, result, said, not ended, budget.evals, device, budget.seconds, engine)


def _prepare(context: RunContext, resources: JudgeResources) -> None:
    parts, done = assemble(context), False
    try:
        with stop_on_interrupt(context.judging.stop, context.watch, resources.sandbox.close):
            Loop(context, parts).prepare()
            if not context.judging.stop.is_set():
                done = FinalEvaluation(context, parts).judge_humans()
    finally:
        context.archive.update_run(state="finished" if done else "interrupted")
