"""Runs a method on problems that differ in one respect from one that it has answered, and says what a probe is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fitness import pgr
from fitness.nouns import Finding, Outcome, Problem, Score, Status, Verdict

if TYPE_CHECKING:
    from fitness.vault.instance import Answers

SEEDS = 3  # runs on either side of a change that is looked into
SLACK = 0.15  # of PGR: what new seeds do to an honest method; a smaller change is not looked into
WORTH = 0.2  # PGR up to which a method cannot be said to know anything
CONFIDENCE = 0.99865  # of three standard errors, which so few runs estimate badly: Student's quantile is 6.6

Run = Callable[[Problem], Outcome]  # one run in the sandbox; retries are the caller's


@dataclass(frozen=True, eq=False)
class Case:
    """One trial's problem, and what the trusted process knows about it.

    Attributes:
        problem: as the method was handed it.
        answers: what its predictions are scored against.
        weak_acc: test accuracy of the weak teacher.
        strong_acc: test accuracy of the ceiling.
        reference: the score of the method's recorded trial on this very problem, or None when there is none.
        pool: (n, d) the test rows of the instance, of which trials show some, or None when all of them are shown.
        scrambled: runs of the method's source with other constants in the places that could hold fitted ones, by kind of place;
            None when nobody has read the source.
    """

    problem: Problem
    answers: Answers
    weak_acc: float
    strong_acc: float
    reference: Score | None
    pool: np.ndarray | None = None
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
        """Return the (n_test, n_classes) predictions for a problem, of another source when one is named. Raises Unanswered."""
        outcome = (run or self._run)(problem)
        if outcome.status is Status.VIOLATION and "canary" in outcome.message:
            raise CanaryTouched(outcome)
        if outcome.status is not Status.OK or outcome.predictions is None:
            raise Unanswered(outcome)
        self.answered = True
        return outcome.predictions

    def score(self, predictions: np.ndarray) -> Score:
        """Score predictions for all test rows, in the trial's order."""
        accuracy = self.case.answers.score(predictions).transfer_acc
        return pgr.score(accuracy, self.case.weak_acc, self.case.strong_acc, len(predictions))

    @cached_property
    def reference(self) -> np.ndarray:
        """The predictions for the trial's own problem. Raises Unanswered."""
        return self.predict(self.problem)

    @cached_property
    def nondeterminism(self) -> float:
        """The share of the hard answers that a second run on the trial's own problem moves."""
        return share_changed(self.reference, self.predict(self.problem))

    @cached_property
    def real(self) -> float:
        """The PGR on the trial's own problem."""
        return self.score(self.reference).pgr

    @cached_property
    def reseeded(self) -> list[float]:
        """The PGRs on the trial's own problem under new seeds."""
        return [self.score(self.predict(replace(self.problem, seed=self.seed()))).pgr for _ in range(SEEDS)]

    @property
    def pool(self) -> tuple[np.ndarray, np.ndarray]:
        """All (n, d) test rows of the instance, and for each its place among the trial's, -1 where it was not shown."""
        shown, rows = len(self.problem.test_x), self.case.answers.rows
        if self.case.pool is None:
            return self.problem.test_x, np.arange(shown)
        places = np.full(len(self.case.pool), -1)
        places[rows] = np.arange(shown)
        return self.case.pool, places

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
    """

    name: str
    measure: Callable[[Examination], Reading]
    refusal: Verdict
    runs: int
    alarms: float
    null: str

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
    """Return the (n,) most probable classes; a tie is the lowest, as in the vault."""
    classes: np.ndarray = predictions.argmax(1)
    return classes


def share_changed(before: np.ndarray, after: np.ndarray) -> float:
    """Return the share of hard answers that differ."""
    return float(np.mean(hard_labels(before) != hard_labels(after)))
