"""Defines the nouns of the search: briefs, drafts, replies, and the protocols of what can be plugged in."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from archives.nouns import Usage
from evolve.errors import ModelError
from fitness.nouns import Direction, Evaluation, Method
from fitness.tasks.grammar import Grammar


@dataclass(frozen=True)
class Reply:
    """A model's answer."""

    text: str
    usage: Usage


class Model(Protocol):
    """A language model behind an API."""

    name: str

    def ask(self, system: str, prompt: str) -> Reply:
        """Answer one prompt. Raises ModelError with a sentence when there is no answer to be had."""

    def worst_case(self, system: str, prompt: str) -> Usage:
        """Return the most that asking this can cost: an upper bound of its tokens, and of dollars when the price is known."""


@dataclass(frozen=True)
class Exhibit:
    """A method as a brief shows it: what it is, and the only scores of it that a model may see.

    Attributes:
        method: the method.
        name: the seed's name, or a short id.
        card: what its feedback card says, in lines; "" where a run shows none, and before it was judged.
        line: the scores that may be seen of it, in one line: off its card, or what the Ladder of each search domain said.
        prediction: what its hypothesis predicted of its card, "" where it predicted nothing.
        whole: whether its file may be shown; else one line tells of it.
    """

    method: Method
    name: str
    card: str = ""
    line: str = ""
    prediction: str = ""
    whole: bool = True


@dataclass(frozen=True)
class Tried:
    """A child that was tried, as a row of a brief's table.

    Attributes:
        idea: what was changed and why, in its maker's words; `operator`: which asked for it.
        changed: the parts of the file that differ from its first parent's.
        outcome: what came of it, in one line.
        prediction: what its hypothesis predicted of its card, "" where it predicted nothing.
        method: its id, where the outcome tells of its scores.
        near: whether it was made of the parents, or of their ancestors.
    """

    idea: str
    operator: str
    changed: tuple[str, ...]
    outcome: str
    prediction: str = ""
    method: str = ""
    near: bool = True


@dataclass(frozen=True)
class Broken:
    """A child that failed and is to be repaired: its source, and what went wrong, as a sentence."""

    source: str
    reason: str


@dataclass(frozen=True)
class Relative:
    """A method that differs from a parent in constants only: those constants, in order, and its fitness."""

    constants: tuple[float, ...]
    fitness: float


@dataclass(frozen=True)
class Brief:
    """Everything an operator is told.

    Attributes:
        direction: what to try.
        parents: what to start from, best first; at least one.
        inspirations: methods from other cells.
        record: the best method so far, None before there is one.
        tried: what was tried: near relatives first, then what tells most of the rest.
        deleted: lines that the first parent's lineage dropped and was better without, the newest first.
        broken: the failed child that is to be repaired, for operators whose subject is a failure.
        family: the first parent and the methods that differ from it in constants only; never part of a prompt.
        ablations: what parts of the record are worth, as a section of the prompt; "" where that is not known.
    """

    direction: Direction
    parents: tuple[Exhibit, ...]
    inspirations: tuple[Exhibit, ...] = ()
    record: Exhibit | None = None
    tried: tuple[Tried, ...] = ()
    deleted: tuple[str, ...] = ()
    broken: Broken | None = None
    family: tuple[Relative, ...] = ()
    ablations: str = ""

    @property
    def methods(self) -> tuple[str, ...]:
        """The ids of the methods whose scores it tells."""
        record = (self.record,) if self.record else ()
        shown = (exhibit.method.id for exhibit in (*self.parents, *self.inspirations, *record))
        return tuple(dict.fromkeys([*shown, *(row.method for row in self.tried if row.method)]))


@dataclass(frozen=True)
class Draft:
    """What an operator returns: a source, or None with the reason, and what it cost.

    Attributes:
        source: the child's text, or None when there is none.
        idea: what was changed, in one line.
        prompt: what the model was asked (empty for operators that need none).
        reply: what it answered.
        usage: what that cost.
        problem: why there is no source, as a sentence.
        direction: a new direction, from an operator that makes those instead of methods.
        prediction: what the model predicted of the child's feedback card, "" when it predicted nothing.
    """

    source: str | None
    idea: str = ""
    prompt: str = ""
    reply: str = ""
    usage: Usage = field(default_factory=Usage)
    problem: str = ""
    direction: Direction | None = None
    prediction: str = ""


class Worker(Protocol):
    """A process of its own in which functions of ours parse strangers' files."""

    def call(self, function: str, seconds: float, **arguments: Any) -> dict[str, Any]:
        """Call `module:name` there, for at most so many seconds of processor time. Raises when it fails, or dies of it."""


@dataclass(frozen=True)
class Variant:
    """A source that an operator wants to have tried; `label` says in a line what is different about it."""

    label: str
    source: str


@dataclass(frozen=True)
class Experiment:
    """What trying a variant came to.

    Attributes:
        evaluation: how it was judged on a few dev instances; None when the screen refused it.
        problem: why it was refused, failed or stopped, as a sentence; else "".
        card: what may be told of its scores, in lines; "" without any.
    """

    variant: Variant
    evaluation: Evaluation | None
    problem: str = ""
    card: str = ""


class Experimenter(Protocol):
    """Tries variants on a few dev instances beside the search; what they cost is counted, and every one is recorded.

    Attributes:
        instances: of each search domain, that a variant is tried on.
    """

    instances: int

    def run(self, variants: Sequence[Variant], race: bool = True) -> tuple[Experiment, ...]:
        """Try variants side by side, racing the first parent or not; of more than a proposal may try, the first ones."""


@dataclass(frozen=True)
class Tools:
    """What an operator may work with.

    Attributes:
        worker: the process that parses files.
        model: a model, and `system` its system text, when the run has one.
        grammar: that of the task's methods, when it has one.
        experiments: what tries variants, for operators that say so.
    """

    worker: Worker
    model: Model | None = None
    system: str = ""
    grammar: Grammar | None = None
    experiments: Experimenter | None = None


Subject = Literal["parents", "failure", "direction", "constants", "record"]


class Operator(Protocol):
    """A way to make a child.

    Attributes:
        parents: how many parents it wants, 1 or 2.
        subject: what it works on: parents, a child of theirs that failed, the brief's direction, which it varies, constants
            that the parent declares, or the record, on which it only experiments.
        experiments: may be left out; true for one that tries variants before it makes its child.
    """

    name: str
    needs_model: bool
    parents: int
    subject: Subject

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Make a child of the brief's parents."""


def experimenting(operator: Operator) -> bool:
    """Tell whether an operator tries variants before it makes its child."""
    return bool(getattr(operator, "experiments", False))


VERSIONS = "- Versions: "  # how the line of the system text begins that tells of the machine
PACE = "- takes about "  # how the line of a card begins that tells of the machine and what else it did meanwhile
TURN = "\n\n===== turn {} =====\n\n"  # stands between the turns in a draft's prompt and reply


@dataclass(frozen=True)
class Edit:
    """What an offline operator made of a source.

    Attributes:
        source: the child, or None when there is none.
        idea: what was changed, in one line.
        problem: why there is no child, as a sentence.
    """

    source: str | None
    idea: str
    problem: str


class UnusableAnswer(ModelError):
    """An answer arrived, and was paid for, but cannot be used: it is empty, cut short, too long or refused.

    Attributes:
        reply: what arrived, as far as it is kept, and what it cost.
    """

    def __init__(self, sentence: str, reply: Reply) -> None:
        super().__init__(sentence)
        self.reply = reply


def total(usages: Iterable[Usage]) -> Usage:
    """Add up calls to one model. One unknown price makes the sum unknown."""
    paid = [u for u in usages if u.calls]
    if not paid:
        return Usage()
    prices = [u.usd for u in paid if u.usd is not None]
    return Usage(
        model=paid[0].model,
        calls=sum(u.calls for u in paid),
        tokens_in=sum(u.tokens_in for u in paid),
        tokens_out=sum(u.tokens_out for u in paid),
        usd=sum(prices) if len(prices) == len(paid) else None,
        seconds=sum(u.seconds for u in paid),
        cached=sum(u.cached for u in paid),
        reasoning=sum(u.reasoning for u in paid),
    )
