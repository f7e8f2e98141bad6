"""Replays a recorded run offline: replies, trials and the order of steps come from its archive, all else is done anew.

Nothing but the archive is needed: no network, no vault, no sandbox. Selection, prompts, the reading of replies, the screen,
races, fitness, cells, placements and migration are computed again, into an archive of their own; then the two are compared.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from archives.archive import Archive
from archives.grid import parse
from archives.maintenance.regrid import regrid
from archives.nouns import Entry
from archives.sqlite.typed import value
from evolve.budget import Budget, Limit
from evolve.config import Config
from evolve.errors import EvolveError, ModelError
from evolve.grids import grid_of
from evolve.models.metered import UnavailableModel
from evolve.nouns import Model, Operator
from evolve.observer import NullObserver
from evolve.runs.checks import check_origin, config_of, stored_config
from evolve.runs.comparison import Replayed, compared
from evolve.runs.recording import Diverged, RecordedJudge, RecordedPipeline, recorded_adds
from evolve.runs.resources import judge_resources, load_operators
from evolve.runs.seeds import enter
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from evolve.search.context import Judging, RunContext, dev_instances, wanted_instances
from evolve.search.engine import Engine
from evolve.search.parts import assemble
from fitness import tasks
from fitness.judge import Evaluator
from fitness.nouns import Evaluation, Split
from fitness.tasks import Task


class Replay:
    """One replay of a recording, into a new archive; `judge` judges instead of the recording when it is given."""

    def __init__(
        self,
        recording: Archive,
        config: Config,
        task: Task,
        path: Path,
        operators: Sequence[Operator],
        worker: WorkerProcess,
        judge: Evaluator | None = None,
    ) -> None:
        self._recording, self._config, self._operators = recording, config, operators
        self.archive = Archive.create(path)
        self._journal = recording.entries()
        self._judging = Judging(task, judge or RecordedJudge(task, recording), worker, threading.Event())
        self._pipeline, self._models = RecordedPipeline(recording, self._judging.judge), dict[str, UnavailableModel]()
        self._engine: Engine | None = None
        self._methods = {method.id: method for method in recording.methods()}
        self._set_out()

    @property
    def length(self) -> int:
        """How many lines the journal has."""
        return len(self._journal)

    def steps(self) -> Iterator[int]:
        """Follow the journal, yielding the number of each line that was followed. Raises Diverged."""
        for number, entry in enumerate(self._journal, start=1):
            try:
                self._follow(entry)
            except EvolveError as error:
                if not isinstance(error, ModelError):  # what ended the recorded session ends this one
                    raise
            yield number

    def outcome(self, steps: int, problem: str) -> Replayed:
        """Compare the two archives."""
        return compared(self._recording, self.archive, steps, self.length, problem)

    def _set_out(self) -> None:
        """Copy what a run begins with: its record with the grid that it had, the directions of the literature, the seeds."""
        run, moves = self._recording.run(), [entry for entry in self._journal if entry.step == "regrid"]
        grid = _grids(moves[0])["from"] if moves else run.grid
        later = {entry.method for entry in self._journal if entry.step == "added"}
        with self.archive.transaction():
            self.archive.add_run(replace(run, grid=grid, champion="", human_best="", verdict="", inflation=None, tried=0))
            for direction in self._recording.directions():
                if direction.origin == "literature":
                    self.archive.add_direction(direction)
            for method in self._methods.values():
                if method.origin in ("seed", "added") and method.id not in later:
                    self.archive.add_method(method)

    def _follow(self, entry: Entry) -> None:
        """Do what one line of the journal says."""
        if entry.step == "session":
            self._begin(entry.config)
            return
        if entry.step == "regrid":
            regrid(self.archive, parse(_grids(entry)["to"]))
            return
        if entry.step == "added":
            self._add(entry)
            return
        engine = self._engine
        if engine is None:
            raise Diverged("the journal does not begin with a session")
        match entry.step:
            case "select":
                engine.begin()
                self.archive.keep(self._pipeline.recorded(self._parts.listeners.state.last_proposal))
            case "seed":
                evaluation = self._certified(entry)
                self._parts.seeding.judged_seed(evaluation, self._methods[evaluation.method].name)
            case "adopt":
                self._parts.seeding.adopt()
            case "flagged":
                self._flag(entry.method or "")
            case "tune":
                engine.tune(entry.config == "true")
            case "take up":
                engine.take_up(self.archive.proposals("id = ?", [entry.proposal])[0])
            case _:
                self._land(engine, entry)

    def _begin(self, settings: str | None) -> None:
        """Begin a session as a run does, with the settings that it had: everything but the archive is built anew."""
        self._config = config = config_of(settings or "", self._judging.task.name, self._recording.path)
        self.archive.journal("session", config=settings)
        self._pipeline = RecordedPipeline(self._recording, self._judging.judge)
        self._models = {spec: UnavailableModel(spec) for spec in config.model}
        context = RunContext(
            config=config,
            archive=self.archive,
            judging=self._judging,
            screen=Screen(self._judging.worker),
            budget=Budget(
                Limit(config.evals, trials=config.trials), self.archive.judged(), trials=self.archive.judged_trials()
            ),
            grid=grid_of(self.archive),
            watch=NullObserver(),
            operators=load_operators(self._judging.task, config, self._operators),
            models=dict[str, Model](self._models),
            system=self._recording.run().system,
            adds=partial(recorded_adds, self._recording) if self._judging.task.contract.has_rows else None,
        )
        self._parts = assemble(context)
        self._engine = Engine(context, self._parts, self._pipeline)

    def _land(self, engine: Engine, entry: Entry) -> None:
        result_of_step = self._pipeline.result_of_step(entry.proposal, "judge" if entry.step == "probe" else entry.step)
        name = result_of_step.candidate.choice.model
        if name in self._models:
            recorded = self._recording.proposals("id = ?", [entry.proposal])[0]
            self._models[name].reason = recorded.reason
        if entry.step == "probe":  # its judging ended before, unrecorded
            engine.probe(result_of_step.candidate, result_of_step.result())
            result_of_step = self._pipeline.result_of_step(entry.proposal, "probe")
        engine.complete(result_of_step)

    def _certified(self, entry: Entry) -> Evaluation:
        """Judge a method that races nobody: a seed, or one that was added by hand."""
        method = self._methods.get(entry.method or "")
        if method is None:
            raise Diverged(f"the method {entry.method} is not in the archive")
        return self._judging.judge.certify(method.method, dev_instances(self._config))

    def _flag(self, method: str) -> None:
        """Flag a finalist as the probes on fresh instances did: it leaves the grid. What was judged there is not replayed."""
        trial = self._recording.trials(method, Split.FRESH, self._config.domain)[0]
        findings = tuple(self._recording.findings(method, Split.FRESH))
        with self.archive.transaction():
            self.archive.add_findings(method, trial, findings)
            self.archive.journal("flagged", method=method)
        self._parts.listeners.state.flag(method)
        self._parts.reporter.flags(Evaluation(method, (trial,), trial.status, None, findings=findings))

    def _add(self, entry: Entry) -> None:
        """Put a method that was added by hand into the archive, with its elites."""
        evaluation = self._certified(entry)
        with self.archive.transaction():
            enter(self.archive, self._config, self._methods[evaluation.method], evaluation)


def _grids(entry: Entry) -> Mapping[str, str]:
    """Return the grids before and after a move onto another, as JSON."""
    return value(vars(entry), "config", dict[str, str])  # type: ignore[no-any-return]


def replay(
    recording: Archive, path: Path, rejudge: bool, step: Callable[[int, int], None], operators: Sequence[Operator] = ()
) -> Replayed:
    """Replay a run into a new archive and compare; `step` is told (lines followed, lines in all) of the journal.

    With `rejudge` methods run again, which needs the vault of the run; `operators` are those that the run was handed. Raises
    EvolveError when the run cannot be replayed.
    """
    config = stored_config(recording)
    task = tasks.load(config.task)
    if rejudge:
        check_origin(recording, task)
    if not recording.entries():
        raise EvolveError(f"{recording.path} has no journal to follow: it was written before runs were recorded")
    with contextlib.ExitStack() as stack:
        if rejudge:
            wanted = wanted_instances(task, config)
            resources = stack.enter_context(judge_resources(task, wanted, config.device, trust=config.trust_methods))
            made = Replay(recording, config, task, path, operators, resources.worker, resources.judge)
        else:
            made = Replay(recording, config, task, path, operators, stack.enter_context(WorkerProcess()))
        done, problem = 0, ""
        try:
            for done in made.steps():
                step(done, made.length)
        except Diverged as error:
            problem = f"after {done} steps: {error}"
        except LookupError as error:
            problem = f"after {done} steps: the archive contradicts itself, it names {error} and does not hold it"
        return made.outcome(done, problem)
