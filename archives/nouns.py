"""Defines the nouns of the archive: elites, placements, and the records of its tables."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from fitness.nouns import EvolveError, Method, Split, Status, Trial


class ArchiveError(EvolveError):
    """An archive that cannot be opened, read or written."""


class Placement(IntEnum):
    """What became of a method that was offered to a cell; true when it was placed."""

    REJECTED = 0
    IMPROVED = 1
    NEW = 2


@dataclass(frozen=True)
class Elite:
    """The best method of one cell of one island; its fitness is finite: a method without one is no elite."""

    island: int
    cell: int
    method: str
    fitness: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.fitness):
            raise ValueError(f"the fitness of an elite must be finite, got {self.fitness}")


@dataclass(frozen=True)
class RunRecord:
    """A run as its archive remembers it.

    Attributes:
        id: the run's name.
        task: name of the task; with `task_version`, what the scores mean.
        vault: fingerprint of the vault that holds the labels.
        config: the resolved configuration, as JSON.
        seed: of the run's random generators.
        state: running, finished, or interrupted.
        level: the sandbox level.
        champion, human_best: ids of the best method and the best seed on fresh instances, "" before they are known.
        verdict: the sentence that compares them.
        tried: methods that selection chose the champion from.
        inflation: the champion's dev PGR minus its fresh PGR, None before it is known.
        system: the system prompt of the run's model calls, "" without a model.
        grid: the grid's measures with their edges and, of Voronoi cells, the centroids, as JSON; "" in runs that are older.
        prompts: digest of what wrote its prompts; "" without a model, where sessions differ in it, and in runs that are older.
        seconds: wall clock so far; `engine_seconds`: what the engine used of it, without waiting.
    """

    id: str
    created: str
    task: str
    task_version: str
    vault: str
    config: str
    seed: int
    state: str
    level: str
    evolve_version: str
    champion: str = ""
    human_best: str = ""
    verdict: str = ""
    system: str = ""
    tried: int = 0
    inflation: float | None = None
    seconds: float = 0.0
    engine_seconds: float = 0.0
    grid: str = ""
    prompts: str = ""

    @property
    def key(self) -> str:
        """The run's own among all runs, and the same in every copy of its archive."""
        return hashlib.sha256(f"{self.id}/{self.created}/{self.vault}".encode(errors="replace")).hexdigest()[:16]


@dataclass(frozen=True)
class MethodRecord:
    """A method as the archive keeps it; `name` and `origin` (seed, search, agent, added) are for people."""

    id: str
    source: str
    nodes: int
    name: str
    origin: str
    structure: str
    constants: tuple[float, ...]
    sketch: tuple[int, ...]

    @property
    def method(self) -> Method:
        """What the judge needs of it."""
        return Method(self.id, self.source, self.nodes)


@dataclass(frozen=True)
class ProposalRecord:
    """A child from the moment its reply arrived, whatever became of it.

    Attributes:
        state: asked (chosen, and no draft yet), proposed (not yet screened), judging, done, lost (judged by our fault without
            a score), refused (by the operator or the screen), or unanswered (the model gave no answer).
        parents: ids, best first; `inspirations`: ids of the other methods in its brief.
        novelty: distance of the prompt to the recent prompts when it was chosen, in [0, 1].
        reason: why it was refused, or not answered, as a sentence.
        method: id of the method it became, or None.
        fixes: the failed proposal that it was asked to repair, or None.
        cell: the cell whose elite the first parent was, or None.
        prediction: what its hypothesis predicts of its feedback card, "" where none was asked for.
    """

    id: int
    island: int
    operator: str
    model: str
    direction: str
    parents: tuple[str, ...]
    prompt: str
    reply: str
    idea: str
    source: str | None
    novelty: float
    state: str
    reason: str
    method: str | None
    inspirations: tuple[str, ...] = ()
    fixes: int | None = None
    cell: int | None = None
    prediction: str = ""


@dataclass(frozen=True)
class Look:
    """A score that left the vault.

    Attributes:
        who: who saw it: engine (selection and the final table), a model by its name, an agent, a person.
        method: whose score; `lineage`: the seed that its first parents go back to.
        domain, split, instances: what it was a score on.
        why: what for, as a sentence.
        answer: what was released, when that was less than the score itself: a rung of the Ladder, in accuracy.
    """

    who: str
    method: str
    lineage: str
    domain: str
    split: Split
    instances: int
    why: str
    answer: float | None = None


@dataclass(frozen=True)
class Usage:
    """What model calls cost.

    Attributes:
        tokens_in: tokens of the prompts; `cached` of them were read from the provider's cache.
        tokens_out: tokens of the answers; `reasoning` of them were thoughts that the answer does not show.
        usd: dollars, None when the price is unknown, never 0 by default.
        seconds: wall clock.
    """

    model: str = ""
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = None
    seconds: float = 0.0
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class CallRecord:
    """One answered model call, stored the moment it arrived.

    Attributes:
        turn: 1 for a proposal's first call.
        reply: what the model said, as far as it was kept.
        problem: why the answer could not be used (it was empty, cut short or refused), as a sentence; else "".
        worst: what had been reserved for it.
    """

    proposal: int
    turn: int
    reply: str
    problem: str
    usage: Usage
    worst: Usage = Usage()


@dataclass(frozen=True)
class ExperimentRecord:
    """A variant of a method that was tried beside the search, stored the moment it ended.

    Attributes:
        proposal: the proposal it belongs to.
        subject: id of the method that it varies.
        label: what is different about it, as a line.
        method: id of its source, "" when the screen refused it.
        status: INVALID when the screen refused it; `message`: why it failed or was stopped, as a sentence.
        trials: its runs on dev instances.
    """

    proposal: int
    subject: str
    label: str
    method: str
    source: str
    status: Status
    message: str
    trials: tuple[Trial, ...]


class Records(NamedTuple):
    """What was paid for one or more proposals: answered model calls, and experiments that ended, each in order."""

    calls: tuple[CallRecord, ...] = ()
    experiments: tuple[ExperimentRecord, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One line of the journal: a step that ended, in the order in which a replay repeats them.

    Attributes:
        step: session (the search was begun or taken up), seed, added (by hand), adopt (of what was added), select, take up,
            propose, screen, judge, probe, flagged (a finalist, on fresh instances), tune (whether constants are, from now on),
            or regrid.
        proposal: the proposal that it was a step of, if any; `method`: the one that was judged, added, taken in or flagged.
        config: of a session, the configuration that it had; of a regrid, the grids before and after it; of tune, true or
            false; as JSON.
    """

    step: str
    proposal: int | None
    method: str | None
    config: str | None


Row = Mapping[str, object]
