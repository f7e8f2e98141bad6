"""Defines the nouns of judging, in which everything else speaks: methods, problems, trials, scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CONTAINED = ("A", "B")  # the levels of the sandbox at which anybody's code may run


class EvolveError(Exception):
    """An error whose message is a sentence that tells the user what to do; the CLI prints it and exits with `exit_code`."""

    exit_code = 2


class SandboxUnavailable(EvolveError):
    """The walls this machine offers are too few to run a method."""

    exit_code = 4


class DeviceUnavailable(EvolveError):
    """Methods cannot compute on the GPU here."""


class VaultError(EvolveError):
    """The vault cannot be read, written, or trusted."""


class TaskFault(EvolveError):
    """A task's own code did what it must not: raised, or returned something else than it promised."""


class Status(StrEnum):
    """How a trial or an evaluation ended. Failure is a state, never a number."""

    OK = "OK"
    INVALID = "INVALID"  # does not compile, breaks a rule, or returns something that is no answer
    CRASHED = "CRASHED"  # raised or exited
    TIMED_OUT = "TIMED_OUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    VIOLATION = "VIOLATION"  # too much output, extra bytes on the result pipe, a canary touched
    LOST = "LOST"  # our fault: a worker died, a machine went away; retried, never held against the method


class Split(StrEnum):
    """Which instances: seen by the search, drawn for champions, behind the seal, or drawn to check champions across sizes."""

    DEV = "dev"
    FRESH = "fresh"
    SEALED = "sealed"
    SCALE = "scale"


@dataclass(frozen=True)
class Method:
    """A screened method.

    Attributes:
        id: sha256 of the canonical form (comments, docstrings, formatting and local names gone), hexadecimal.
        source: the file's text; `nodes`: number of syntax nodes of the canonical form.
    """

    id: str
    source: str
    nodes: int


@dataclass(frozen=True)
class Limits:
    """What one run of a method may use.

    Attributes:
        seconds: wall clock.
        memory: bytes of address space beyond the sandbox's own; on a GPU, of the machine's memory, and again of the GPU's.
        output: bytes of stdout and stderr together; `disk`: bytes of one file in scratch.
        threads: threads at one time, counted from outside twenty times a second.
    """

    seconds: float = 60.0
    memory: int = 2 << 30
    output: int = 1 << 20
    disk: int = 64 << 20
    threads: int = 256


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came back from one run in the sandbox.

    Attributes:
        status: OK, or why there are no predictions; `seconds`: wall clock of the run.
        predictions: the answer, float32 of the contract's shape and in its range, when OK; else None.
        message: a sentence when not OK; it tells next to nothing of the problem, and may go on into prompts.
        said: the method's call chain and what it printed, for the person who ran it alone: untrusted, never for a model.
        notes: numbers of the method's own, by name: for whoever wrote it, and for nothing that the engine decides.
    """

    status: Status
    predictions: np.ndarray | None
    seconds: float
    message: str = ""
    said: str = ""
    notes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """The result of one successful trial.

    Attributes:
        pgr: the gap recovered, (value - floor) / (ceiling - floor); with accuracies it is performance gap recovered.
        stderr: standard error of pgr from what it was measured on alone, such as a finite test set; 0 where nobody knows it.
        value: what the answer is worth; more is better.
        floor: the value of the anchor to beat; `ceiling`: the value that could be reached.
        n: rows of the answer.
    """

    pgr: float
    stderr: float
    value: float
    floor: float
    ceiling: float
    n: int


@dataclass(frozen=True)
class Trial:
    """One method run once on one instance. `score` is set exactly when `status` is OK."""

    method: str
    task: str
    domain: str
    instance: int
    split: Split
    status: Status
    score: Score | None
    measures: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    message: str = ""
    said: str = field(default="", compare=False)  # as in Outcome; it is not stored
    draw: str = ""  # what rows, order and seed were drawn for (judge.pair); "" for the method alone, as in every run
    notes: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)  # shares of its rows, by what the contract tells of errors
    auc: Score | None = field(default=None, compare=False)  # AUC PGR, which decides nothing; it is not stored

    def __post_init__(self) -> None:
        if (self.status is Status.OK) != (self.score is not None):
            raise ValueError(f"a trial has a score exactly when it is OK, got {self.status} with score {self.score}")


class Verdict(StrEnum):
    """What a probe says of a method."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    CONTESTED = "CONTESTED"  # failed here, but not on most of the instances looked at: evidence, no flag
    SKIPPED = "SKIPPED"  # the probe's null says nothing about this method, or our fault kept it from running


@dataclass(frozen=True)
class Finding:
    """What one reward-hack probe found on one instance.

    Attributes:
        probe, verdict: its name, as it stands in a method's flags, and what it says; FAILED keeps the method out of the grid.
        number, threshold: what was measured, and what it is held against; None when SKIPPED.
        sentence, domain, instance: what was seen, and where.
    """

    probe: str
    verdict: Verdict
    number: float | None
    threshold: float | None
    sentence: str
    domain: str = ""
    instance: int | None = None


@dataclass(frozen=True)
class Evaluation:
    """One method judged.

    Attributes:
        method: the method's id.
        trials: every trial that was run, in order.
        status: OK when every trial was, else the status of the first that was not.
        fitness: lower confidence bound on the true PGR, or None (a failure, or stopped by the race before it had one).
        measures: the grid's coordinates, from the first two instances; empty for a failure.
        message: why it failed or was stopped, as a sentence.
        findings: what the probes found on the instances that were looked at; empty when it was not examined.
    """

    method: str
    trials: tuple[Trial, ...]
    status: Status
    fitness: float | None
    measures: Mapping[str, float] = field(default_factory=dict)
    message: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """The names of the probes that failed it."""
        return tuple(dict.fromkeys(f.probe for f in self.findings if f.verdict is Verdict.FAILED))

    @property
    def scores(self) -> tuple[Score, ...]:
        """The score of each successful trial, in order."""
        return tuple(t.score for t in self.trials if t.score is not None)

    @property
    def strata(self) -> tuple[tuple[Score, ...], ...]:
        """The scores by domain, in the order the domains first appear."""
        domains = dict.fromkeys(t.domain for t in self.trials)
        return tuple(tuple(t.score for t in self.trials if t.score and t.domain == domain) for domain in domains)

    @property
    def pgrs(self) -> tuple[float, ...]:
        """The PGR of each successful trial, in order."""
        return tuple(score.pgr for score in self.scores)

    @property
    def pgr(self) -> float | None:
        """The mean PGR of the successful trials, None when there is none."""
        return sum(self.pgrs) / len(self.pgrs) if self.pgrs else None

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of all trials."""
        return sum(t.seconds for t in self.trials)


@dataclass(frozen=True)
class Measure:
    """One axis of the grid: `bins` equal bins between two edges that never move; what lies outside is in the last bin."""

    name: str
    low: float
    high: float
    bins: int

    def bin(self, value: float) -> int:
        """Return the bin of a value, 0 to bins - 1. Raises ValueError for one that is not finite."""
        return int(min(max(self._along(value) * self.bins, 0), self.bins - 1))

    def share(self, value: float) -> float:
        """Return how far along the axis a value lies, from 0 to 1. Raises ValueError for one that is not finite."""
        return float(min(max(self._along(value), 0.0), 1.0))

    def _along(self, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError(f"{self.name} must be finite to lie in a cell, got {value}")
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval around a mean over `n` instances; its ends are infinite where `n` is too few."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """Both ends, None where `n` is too few."""
        return finite(self.low), finite(self.high)


def finite(bound: float) -> float | None:
    """Return a bound, None for one that is infinite: too few instances are behind it."""
    return bound if math.isfinite(bound) else None


@dataclass(frozen=True)
class Direction:
    """A research direction; every prompt carries one.

    Attributes:
        name: a short name, unique in a run.
        text: one or two deliberately vague lines for a researcher (or a model) to start from.
        focus: the steps it is about, for operators that need no model: kinds of the task's grammar, or functions' names.
        origin: "literature", or the name of the model that varied another direction; `parent`: the name of that direction.
    """

    name: str
    text: str
    focus: tuple[str, ...]
    origin: str = "literature"
    parent: str = ""
