"""Runs methods in the sandbox, scores what comes back, races them, and says whose fault a failure is."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from statistics import fmean
from typing import Protocol

from fitness import pgr
from fitness.contracts.contract import Problem
from fitness.nouns import Evaluation, Finding, Limits, Method, Outcome, Split, Status, Trial
from fitness.probes import evidence, probes
from fitness.probes.examination import Case
from fitness.tasks import Task
from fitness.vault.instance import Instance, InstanceName
from fitness.vault.marks import Marks
from fitness.vault.rows import RowStore
from fitness.vault.vault import Vault

CELL_TRIALS = 2  # a method's cell comes from its first two instances
LOST_RETRIES = 2  # repetitions of a run that was lost by our fault


Scramble = Callable[[str, int], Mapping[str, Sequence[str]] | None]


def pair(one: str, other: str) -> str:
    """Return the draw that two methods share when they are compared (common random numbers), by their ids in either order."""
    return "+".join(sorted((one, other)))


class Cancelled(Exception):
    """The run is stopping: the evaluation in flight is dropped and will be done again."""


class Runner(Protocol):
    """What runs a method: the sandbox."""

    def run(self, source: str, problem: Problem, limits: Limits) -> Outcome:
        """Run a method once on a problem."""


class _Turns:
    """Lets many runs share the machine, and one run have it alone."""

    def __init__(self) -> None:
        self._changed, self._shared, self._alone = threading.Condition(), 0, False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Run beside others."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._shared += 1
        try:
            yield
        finally:
            with self._changed:
                self._shared -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other run is under way, and hold new ones back."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._alone = True
            self._changed.wait_for(lambda: self._shared == 0)
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()


class Evaluator(ABC):
    """Judges methods on the instances of one task, wherever a single trial comes from. Safe to use from several threads."""

    def __init__(self, task: Task) -> None:
        self._task = task

    @abstractmethod
    def trial(self, method: Method, name: InstanceName, draw: str = "") -> Trial:
        """Return one trial of a method on one instance. Raises Cancelled when the run is stopping.

        `draw` names what the rows that it is shown, their order and its seed are drawn for: the method, or a `pair` of methods.
        """

    @abstractmethod
    def inspect(self, method: Method, trials: Sequence[Trial], thorough: bool = False) -> tuple[Finding, ...]:
        """Probe a method for reward hacks on the instances of some of its trials. Raises Cancelled when the run is stopping."""

    def evaluate(
        self, method: Method, instances: Sequence[InstanceName], rival: Sequence[float] = (), draw: str = ""
    ) -> Evaluation:
        """Judge a method on instances in order, ending at the first failure.

        With a rival (its PGRs, instance by instance), the method races it: from its second trial on it goes on only while an
        anytime-valid test has not shown it to be worse (pgr.race_lost). It has a fitness only when it ran on every instance,
        and on the least number that the task asks for of each domain.
        Raises Cancelled when the run is stopping.
        """
        trials: list[Trial] = []
        for name in instances:
            trial = self.trial(method, name, draw)
            trials.append(trial)
            if trial.status is not Status.OK:
                return Evaluation(method.id, tuple(trials), trial.status, None, {}, trial.message)
            differences = [ours - theirs for ours, theirs in zip(_pgrs(trials), rival)]
            if CELL_TRIALS <= len(trials) < len(instances) and pgr.race_lost(differences):
                gap = -fmean(differences)
                sentence = f"stopped by the race after {len(trials)} of {len(instances)} instances: {gap:.2f} PGR behind"
                return Evaluation(method.id, tuple(trials), Status.OK, None, self.measures(method, trials), sentence)
        whole = Evaluation(method.id, tuple(trials), Status.OK, None, self.measures(method, trials))
        if any(len(scores) < self._task.least_instances for scores in whole.strata):
            return whole
        return replace(whole, fitness=pgr.fitness(*whole.strata))

    def certify(self, method: Method, instances: Sequence[InstanceName], thorough: bool = False) -> Evaluation:
        """Judge a method that races nobody, and inspect it when all went well. Raises Cancelled when the run is stopping."""
        evaluation = self.evaluate(method, instances)
        if evaluation.status is not Status.OK:
            return evaluation
        return replace(evaluation, findings=self.inspect(method, evaluation.trials, thorough))

    def measures(self, method: Method, trials: Sequence[Trial]) -> dict[str, float]:
        """Return the coordinates of a method: its size, and the mean of each trial measure over its first two instances."""
        first = trials[:CELL_TRIALS]
        means = {name: fmean(t.measures[name] for t in first) for name in first[0].measures}
        return {**means, "size": math.log2(method.nodes)}


class Judge(Evaluator):
    """The judge that runs methods in the sandbox.

    Args:
        load: returns an instance by its name, once it has been built; raises Cancelled when the run is stopping.
        cancelled: set when the run is stopping; trials that have not begun raise Cancelled.
        scramble: writes a source with other constants in the places that could hold fitted ones, by kind of place, for a seed;
            None for a source that cannot be read. Without it the probe `frame` says nothing.
        rows: keeps which rows of dev instances each method has right; nothing is kept without it.

    Raises UsageError for a probe that the task's contract names and nobody has.
    """

    def __init__(
        self,
        task: Task,
        vault: Vault,
        sandbox: Runner,
        load: Callable[[InstanceName], Instance],
        cancelled: threading.Event,
        scramble: Scramble | None = None,
        rows: RowStore | None = None,
    ) -> None:
        super().__init__(task)
        probes.chosen(task.contract)  # what is wrong with one is said before a run begins
        self._vault, self._sandbox, self._load, self._cancelled = vault, sandbox, load, cancelled
        self._scramble, self._turns, self._rows = scramble, _Turns(), rows

    def evaluate(
        self, method: Method, instances: Sequence[InstanceName], rival: Sequence[float] = (), draw: str = ""
    ) -> Evaluation:
        """Judge a method as Evaluator does, and keep which rows it has right once it has a fitness: it may be a parent then."""
        evaluation = super().evaluate(method, instances, rival, draw)
        if self._rows:
            self._rows.settle(method.id, keep=evaluation.fitness is not None)
        return evaluation

    def trial(self, method: Method, name: InstanceName, draw: str = "") -> Trial:
        """Run a method once on one instance. Raises Cancelled when the run is stopping."""
        trial, marks = self._tried(method, name, draw)
        if self._rows and name.split is Split.DEV and not draw:
            self._rows.note(method.id, name, marks)
        return trial

    def _tried(self, method: Method, name: InstanceName, draw: str) -> tuple[Trial, Marks | None]:
        """Run a method once on one instance; return also which rows it has right."""
        instance = self._load(name)
        problem, answers = self._vault.problem(instance, draw or method.id)
        outcome = self._run(method.source, problem)
        score, area, measures, errors, marks = None, None, dict[str, float](), dict[str, float](), None
        if outcome.status is Status.OK and outcome.predictions is not None:
            score, measures = answers.score(outcome.predictions), dict(answers.behaviour(outcome.predictions))
            errors, marks = dict(answers.errors(outcome.predictions)), answers.marks(outcome.predictions)
            if name.split is Split.FRESH:  # a search decides nothing by it, keeps it nowhere, and 4 ms a trial are much
                area = answers.auc(outcome.predictions)
        trial = Trial(
            method.id, name.task, name.domain, name.index, name.split, outcome.status, score, measures,
            outcome.seconds, outcome.message, outcome.said, draw, outcome.notes, errors, area,
        )  # fmt: skip
        return trial, marks

    def inspect(self, method: Method, trials: Sequence[Trial], thorough: bool = False) -> tuple[Finding, ...]:
        """Examine a method on instances drawn in secret among those of its trials, and weigh what was found.

        One instance, or thoroughly three of them, the first of these thoroughly; one more where PGRs fall into two heaps. A
        probe that fails is applied to further instances of every domain before it flags the method. Raises Cancelled when the
        run is stopping.
        """
        order = evidence.balanced(self.drawn(method, trials), evidence.MOST if thorough else evidence.LEAST)
        first = max(evidence.LEAST if thorough else 1, 2 if evidence.heaps(trials)[1] else 1)
        found: list[Finding] = []
        for place, trial in enumerate(order):
            suspected = evidence.suspected(found)
            if place < first or suspected:
                again = place >= first and "canary" not in suspected  # any run may touch a canary
                names = probes.those_of(self._task.contract, suspected) if again else None
                said = self.examine(method, trial, thorough and not place, names)
                found += [replace(finding, domain=trial.domain, instance=trial.instance) for finding in said]
        return evidence.weighed(found)

    def examine(
        self, method: Method, trial: Trial, thorough: bool = False, names: tuple[str, ...] | None = None
    ) -> tuple[Finding, ...]:
        """Probe a method for reward hacks on the problem of one of its trials (probes.examine).

        Raises Cancelled when the run is stopping.
        """
        instance = self._load(InstanceName(trial.task, trial.domain, trial.split, trial.instance))
        problem, answers = self._vault.problem(instance, trial.draw or method.id)
        rng, pool = self._vault.dice("examination", instance.name, method.id), self._vault.arrays(instance)
        kinds = self._scramble(method.source, int(rng.integers(2**31))) if self._scramble else None
        others = (
            None if kinds is None else {kind: [partial(self._run, text) for text in texts] for kind, texts in kinds.items()}
        )
        case = Case(problem, answers, trial.score, pool, others)
        return probes.examine(partial(self._run, method.source), case, rng, thorough, names)

    def drawn(self, method: Method, trials: Sequence[Trial]) -> list[Trial]:
        """Return the trials in an order drawn in secret; of two heaps one each first, then the better heap, then the other."""
        rng = self._vault.dice("inspection", method.id)
        better, worse = ([heap[i] for i in rng.permutation(len(heap))] for heap in evidence.heaps(trials))
        return [*better[:1], *worse[:1], *better[1:], *worse[1:]]

    def _run(self, source: str, problem: Problem) -> Outcome:
        """Run a source on a problem. A lost run is repeated at most twice; one out of time is repeated once, alone."""

        def once(turn: AbstractContextManager[None]) -> Outcome:
            with turn:
                if self._cancelled.is_set():
                    raise Cancelled
                return self._sandbox.run(source, problem, self._task.limits)

        outcome = once(self._turns.shared())
        for _ in range(LOST_RETRIES):
            if outcome.status is not Status.LOST:
                break
            outcome = once(self._turns.shared())
        if outcome.status is Status.TIMED_OUT:
            outcome = once(self._turns.alone())
        if self._cancelled.is_set() and outcome.status in (Status.LOST, Status.TIMED_OUT):
            raise Cancelled
        return outcome


def _pgrs(trials: Sequence[Trial]) -> list[float]:
    return [t.score.pgr for t in trials if t.score]
