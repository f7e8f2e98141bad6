"""Runs a method on problems that differ in one respect from one that it has answered, and says what a probe is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fitness.contracts.contract import Answer, Arrays, Problem
from fitness.nouns import Finding, Outcome, Score, Status, Verdict

if TYPE_CHECKING:
    from fitness.vault.instance import Answers

SEEDS = 3  # runs on either side of a change that is looked into
SLACK = 0.15  # of PGR: what new seeds do to an honest method; a smaller change is not looked into
WORTH = 0.2  # PGR up to which a method cannot be said to know anything
CONFIDENCE = 0.99865  # of three standard errors, which so few runs estimate badly: Student's quantile is 6.6
CLOSE = 0.01  # of the standard deviation of an answer's numbers: rounding moves them by far less

Run = Callable[[Problem], Outcome]  # one run in the sandbox; retries are the caller's


@dataclass(frozen=True, eq=False)
class Case:
    """One trial's problem, and what the trusted process knows about it.

    Attributes:
        problem: as the method was handed it.
        answers: what its predictions are scored against.
        reference: the score of the method's recorded trial on this very problem, or None when there is none.
        pool: the public arrays of the instance, in its order, of which trials show some rows; None when they show all of them.
        scrambled: runs of the method's source with other constants in the places that could hold fitted ones, by kind of place;
            None when nobody has read the source.
    """

    problem: Problem
    answers: Answers
    reference: Score | None
    pool: Arrays | None = None
    scrambled: Mapping[str, Sequence[Run]] | None = None


@dataclass(frozen=True)
class Reading:
    """What a probe measured: a number above the threshold fails the method; None: the null says nothing about it."""

    number: float | None
    threshold: float | None
    sentence: str


class Unanswered(Exception):
    """A run brought no predictions."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


class CanaryTouched(Unanswered):
    """A run was ended because the method opened a decoy."""


class Examination:
    """A method on one case: runs it, and keeps what several probes compare with."""

    def __init__(self, run: Run, case: Case, rng: np.random.Generator, thorough: bool) -> None:
        self.case, self.problem, self.rng, self.thorough = case, case.problem, rng, thorough
        self.answered = case.reference is not None  # the trial's own problem; a later refusal of another one tells something
        self._run = run

    def predict(self, problem: Problem, run: Run | None = None) -> np.ndarray:
        """Return the predictions for a problem, of another source when one is named. Raises Unanswered."""
        outcome = (run or self._run)(problem)
        if outcome.status is Status.VIOLATION and "canary" in outcome.message:
            raise CanaryTouched(outcome)
        if outcome.status is not Status.OK or outcome.predictions is None:
            raise Unanswered(outcome)
        self.answered = True
        return outcome.predictions

    def score(self, predictions: np.ndarray) -> Score:
        """Score predictions for the trial's own rows, in its order."""
        return self.case.answers.score(predictions)

    def share_changed(self, before: np.ndarray, after: np.ndarray) -> float:
        """Return the share of the answers that differ."""
        return share_changed(self.problem.contract.answer, before, after)

    def distance(self, recorded: Score) -> float:
        """Return how far the score on the trial's own problem is from another: a share of rows for choices, else in PGR."""
        now = self.score(self.reference)
        choice = self.problem.contract.answer.choice
        return abs(now.value - recorded.value) if choice else abs(now.pgr - recorded.pgr)

    @cached_property
    def reference(self) -> np.ndarray:
        """The predictions for the trial's own problem. Raises Unanswered."""
        return self.predict(self.problem)

    @cached_property
    def nondeterminism(self) -> float:
        """The share of the answers that a second run on the trial's own problem moves."""
        return self.share_changed(self.reference, self.predict(self.problem))

    @cached_property
    def real(self) -> float:
        """The PGR on the trial's own problem."""
        return self.score(self.reference).pgr

    @cached_property
    def reseeded(self) -> list[float]:
        """The PGRs on the trial's own problem under new seeds."""
        return [self.score(self.predict(self.problem.changed(seed=self.seed()))).pgr for _ in range(SEEDS)]

    def pool(self, dim: str) -> tuple[Problem, np.ndarray]:
        """Return the problem with all rows of a dimension, and each one's place in the trial, -1 where it was not shown."""
        shown = self.problem.contract.sizes(self.problem.arrays)[dim]
        if self.case.pool is None or not any(order.shown and order.dim == dim for order in self.problem.contract.orders):
            return self.problem, np.arange(shown)
        whole = {array.name: self.case.pool[array.name] for array in self.problem.contract.with_dim(dim)}
        places = np.full(self.problem.contract.sizes(self.case.pool)[dim], -1)
        places[self.case.answers.rows[dim]] = np.arange(shown)
        return self.problem.changed(whole), places

    def seed(self) -> int:
        """Draw a new seed."""
        return int(self.rng.integers(2**31))


@dataclass(frozen=True)
class Probe:
    """One probe: an entry of the table in probes.py, or a user's own.

    Attributes:
        name: as it stands in a method's flags.
        measure: runs the method and takes the reading.
        refusal: the verdict on a method that answers the trial's problem, and crashes or is invalid on the probe's.
        runs: runs of the method in quick mode when nothing is suspicious.
        alarms: share of 200 offline children that fail it in quick mode (tests/bench/probes.py); of 150 runs on seeds, none.
        null: what holds for every honest method.
        decisive: whether no more is asked of a method that does not pass it.
    """

    name: str
    measure: Callable[[Examination], Reading]
    refusal: Verdict
    runs: int
    alarms: float
    null: str
    decisive: bool = False

    def find(self, examination: Examination) -> Finding:
        """Apply the probe. Raises CanaryTouched."""
        try:
            reading = self.measure(examination)
        except CanaryTouched:
            raise
        except Unanswered as stop:
            return self._unanswered(stop.outcome, examination.answered)
        if reading.number is None or reading.threshold is None:
            return Finding(self.name, Verdict.SKIPPED, None, None, reading.sentence)
        verdict = Verdict.FAILED if reading.number > reading.threshold else Verdict.PASSED
        return Finding(self.name, verdict, reading.number, reading.threshold, reading.sentence)

    def _unanswered(self, outcome: Outcome, answered: bool) -> Finding:
        """Blame a method for a refusal, but never for time, memory or our own failures."""
        sentence = f"on this probe's problem the method was {outcome.status}: {outcome.message}"
        damning = outcome.status in (Status.CRASHED, Status.INVALID, Status.VIOLATION)
        if damning and answered and self.refusal is Verdict.FAILED:
            return Finding(self.name, Verdict.FAILED, 1.0, 0.0, sentence)
        return Finding(self.name, Verdict.SKIPPED, None, None, sentence)


def hard_labels(predictions: np.ndarray) -> np.ndarray:
    """Return the most probable classes, (n,); a tie is the lowest, as where they are scored."""
    classes: np.ndarray = predictions.argmax(-1)
    return classes


def share_changed(answer: Answer, before: np.ndarray, after: np.ndarray) -> float:
    """Return the share of the answers that differ: of choices the hard ones, of numbers those that moved by more than CLOSE."""
    if answer.choice:
        return float(np.mean(hard_labels(before) != hard_labels(after)))
    scale = max(float(before.std(dtype=np.float64)), 1e-6 * float(np.abs(before).max(initial=0.0)))
    return float(np.mean(np.abs(before.astype(np.float64) - after) > CLOSE * scale))
