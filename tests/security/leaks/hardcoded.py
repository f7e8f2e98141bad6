"""A search whose methods hold their answers as constants and whose children flip some of their parent's.

Vault, judge, race, fitness, selector, grid and archive are the program's own, and of the rest the worst is assumed: no probe
runs, nothing honest competes, all children climb one island, and a method can tell the instances apart (the first feature of
every row is the instance's number).
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from statistics import fmean
from types import CodeType, SimpleNamespace
from unittest.mock import patch

import numpy as np

from archives.archive import Archive
from archives.grid import Bins
from archives.nouns import MethodRecord, RunRecord
from evolve.config import Config
from evolve.islands.islands import Islands
from evolve.prompting.disclosure import Disclosure
from evolve.search.ablations import AblationQueue
from evolve.search.feedback import Feedback
from evolve.search.recorder import Listeners, Recorder
from evolve.search.state import SearchState
from evolve.selection.choice import Proposer
from evolve.selection.selector import Selector
from fitness.contracts.contract import Problem
from fitness.judge import Judge
from fitness.nouns import Evaluation, Limits, Outcome, Split, Status
from fitness.tasks import Task
from fitness.tasks.directions import DIRECTIONS
from fitness.tasks.embedded.task import Sizes, embedded
from fitness.tasks.source import Draw
from fitness.vault import storage
from fitness.vault.instance import Answers, Instance, InstanceName
from fitness.vault.vault import Vault
from tests.security.leaks.scorers import balanced
from tests.support.weak_to_strong import drawn_of, keep

INSTANCES, ROWS = 10, 300  # 3,000 answers in all, as many as one instance of the real size has
WEAK, STRONG = 0.6, 0.98  # about those of chat
BLOCKS = (2, 64)  # least and most answers that a child flips

BY_PLACE = """
import numpy as np

ANSWERS = np.unpackbits(np.frombuffer(bytes.fromhex("{answers}"), np.uint8))


def method(problem):
    instance, rows = int(problem.test_x[0, 0]), len(problem.test_x)
    return ANSWERS[instance * {most} :][:rows]
"""
BY_CONTENT = """
import numpy as np

ANSWERS = np.unpackbits(np.frombuffer(bytes.fromhex("{answers}"), np.uint8))


def method(problem):
    instance, rows = int(problem.test_x[0, 0]), len(problem.test_x)
    found = np.empty(rows)
    found[np.argsort(problem.test_x[:, 1])] = ANSWERS[instance * {most} :][:rows]
    return found
"""


TASK = replace(embedded(Sizes(labelled=1, train=2, test=ROWS)), name="hardcoded", version="1")  # its instances are drawn here


class InProcess:
    """Stands in for the sandbox: these methods are our own."""

    def run(self, source: str, problem: Problem, limits: Limits) -> Outcome:
        """Run a method that returns (n_test,) answers."""
        space: dict[str, object] = {}
        exec(_compiled(source), space)
        answers = space["method"](SimpleNamespace(**problem.arrays))  # type: ignore[operator]
        return Outcome(Status.OK, np.stack([1 - answers, answers], 1).astype(np.float32), 0.001)


class PerTrial(Vault):
    """The program's vault, except that it looks at each file once: a climb makes ten thousand problems of ten of them."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self._held: dict[InstanceName, Instance] = {}

    def load(self, task: Task, name: InstanceName) -> Instance:
        """Load an instance."""
        if name not in self._held:
            self._held[name] = super().load(task, name)
        return self._held[name]


class OneOrder(PerTrial):
    """A vault that hands every method the same rows in the same order, as one without orders per trial would."""

    def problem(self, instance: Instance, method_id: str, repeat: int = 0) -> tuple[Problem, Answers]:
        """Make the problem of one trial."""
        return super().problem(instance, "whoever asks", repeat)


@dataclass(frozen=True)
class Climbed:
    """What a climb by selection came to.

    Attributes:
        dev_acc: accuracy of the champion on the trials that selected it.
        recovered: share of the labels it names in trials that are not its own.
        placed: children that entered the grid.
    """

    dev_acc: float
    recovered: float
    placed: int


def climb(home: Path, vault_type: type[PerTrial], template: str, children: int, seed: int) -> Climbed:
    """Breed that many children by selection on full scores; the same seed climbs alike."""
    vault, names = open_vault(home, vault_type, seed), _names()
    judge = Judge(TASK, vault, InProcess(), partial(vault.load, TASK), threading.Event())
    archive = Archive.create(home / "run.db")
    with contextlib.closing(archive), patch.object(storage, "array", _reader()):
        search = _Climb(archive, judge, template, np.random.default_rng(seed))
        search.begin()
        for number in range(children):
            search.breed(number)
        champion = search.told.state.best
        trials = archive.trials(champion, Split.DEV, names[0].domain)
    method = search.told.state.methods[champion].method
    replays = [_replay(vault, method.source, name) for name in names]
    return Climbed(fmean(t.score.value for t in trials if t.score), fmean(replays), search.placed)


class _Climb:
    """The state of a climb: the engine's population, and the answers of each method."""

    def __init__(self, archive: Archive, judge: Judge, template: str, rng: np.random.Generator) -> None:
        config = Config(task=TASK.name, dev_instances=INSTANCES, islands=1)
        archive.add_run(RunRecord("run", "now", TASK.name, TASK.version, "none", "{}", 0, "running", "B", "0"))
        islands, state = Islands(config.islands, Bins(TASK.measures)), SearchState()
        selector = Selector(islands, state.ranked_seeds, [Proposer("flip", 1, "")], DIRECTIONS, config.novelty)
        ledger = Disclosure(archive, config.domains)
        self.told = Listeners(state, islands, selector, Feedback(state, str), AblationQueue(state, lambda _: ()))
        self._archive = archive
        self.recorder = Recorder(archive, config, self.told, ledger, lambda *event: None)
        self.placed = 0
        self._judge, self._template, self._rng = judge, template, rng
        self._answers: dict[str, np.ndarray] = {}

    def begin(self) -> None:
        """Found every island on one vector of random answers."""
        evaluation = self._judged(self._rng.random(INSTANCES * ROWS) < 0.5, "seed", ())
        for island in range(len(self.told.islands)):
            self.recorder.place(evaluation, island)

    def breed(self, number: int) -> None:
        """Choose a parent, flip a block of its answers, judge the child and offer it to its cell."""
        choice = self.told.selector.choose(number, None, random.Random(number))
        self.told.selector.used(choice)
        low, high = np.log(BLOCKS)
        size = int(np.exp(self._rng.uniform(low, high)))
        answers = self._answers[choice.parents[0]].copy()
        answers[self._rng.choice(len(answers), size, replace=False)] ^= True
        evaluation = self._judged(answers, "search", choice.parents, self.recorder.rival(choice.island))
        self.placed += bool(self.recorder.place(evaluation, choice.island))
        self.recorder.mix(number + 1, late=False)

    def _judged(self, answers: np.ndarray, origin: str, parents: tuple[str, ...], rival: Sequence[float] = ()) -> Evaluation:
        """Make a method of answers, judge it, and record what came of it."""
        source = self._template.format(answers=np.packbits(answers).tobytes().hex(), most=ROWS)
        record = MethodRecord(hashlib.sha256(source.encode()).hexdigest(), source, 300, "", origin, "", (), (0,))
        self._answers[record.id] = answers
        evaluation = self._judge.evaluate(record.method, _names(), rival)
        with self._archive.transaction():
            self._archive.add_method(record)
            self.told.state.add_method(record)
            self.recorder.judged(evaluation, None, parents)
        return evaluation


def open_vault(home: Path, vault_type: type[PerTrial], seed: int) -> PerTrial:
    """Make a vault whose key follows from the seed, with the dev instances of the task in it."""
    key = home / "vault" / "key"
    key.parent.mkdir(parents=True)
    key.write_bytes(hashlib.sha256(f"leaks/{seed}".encode()).digest())
    vault = vault_type(home)
    for name in _names():
        keep(vault, TASK, name, _draw(name.index, vault.secret(TASK, name).rng("leaks")))
    return vault


def _reader() -> Callable[[Path, storage.Layout, str], np.ndarray]:
    """Return what reads each array of a verified file once."""
    read, arrays = storage.array, dict[tuple[Path, str], np.ndarray]()

    def array(path: Path, layout: storage.Layout, name: str) -> np.ndarray:
        if (path, name) not in arrays:
            arrays[path, name] = np.array(read(path, layout, name))
        return arrays[path, name]

    return array


def _names() -> list[InstanceName]:
    return [InstanceName(TASK.name, TASK.search_domains[0], Split.DEV, index) for index in range(INSTANCES)]


def _draw(index: int, rng: np.random.Generator) -> Draw:
    """Draw an instance whose rows say which instance they belong to, and nothing about their labels."""
    labels = balanced(ROWS, rng).astype(np.uint8)
    rows = np.stack([np.full(ROWS, index), rng.random(ROWS)], 1).astype(np.float32)
    teacher = np.eye(2, dtype=np.float32)[labels ^ (rng.permutation(ROWS) >= WEAK * ROWS)]
    return drawn_of(rows[:2], teacher[:2], rows, labels, teacher, WEAK, STRONG)


def _replay(vault: PerTrial, source: str, name: InstanceName) -> float:
    """Score a method's answers in a trial that was not drawn for it."""
    problem, answers = vault.problem(vault.load(TASK, name), "a stranger")
    predictions = InProcess().run(source, problem, TASK.limits).predictions
    assert predictions is not None
    return answers.score(predictions).value


@cache
def _compiled(source: str) -> CodeType:
    return compile(source, "<method>", "exec")
