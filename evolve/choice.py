"""What selection is told and what it answers: sources of children, choices, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from archives.nouns import ProposalRecord, Usage
from evolve.nouns import Direction, Subject


@dataclass(frozen=True)
class Source:
    """What selection needs to know of an operator: its name, how many parents, its model ("" for none), what it works on."""

    operator: str
    parents: int
    model: str
    subject: Subject = "parents"


@dataclass(frozen=True)
class Choice:
    """One prompt: what is asked of whom, about which methods.

    Attributes:
        fixes: the failed proposal that is to be mended, if any.
        cell: the cell whose elite the first parent was.
    """

    island: int
    operator: str
    model: str
    direction: Direction
    parents: tuple[str, ...]
    inspirations: tuple[str, ...]
    value: float
    novelty: float
    fixes: int | None = None
    cell: int | None = None


@dataclass(frozen=True)
class Lesson:
    """What came of a proposal.

    Attributes:
        placed: whether the child became an elite.
        gain: its fitness above that of its first parent, 0 unless it was placed and is fitter.
        usage: what its model calls cost.
        method: the child's id, "" when it did not become a method.
    """

    placed: bool
    gain: float
    usage: Usage
    method: str = ""


class Past(NamedTuple):
    """A proposal of an earlier session: what was asked, and what came of it.

    Attributes:
        new: whether there is a source that repeats no other method.
    """

    id: int
    island: int
    operator: str
    model: str
    direction: str
    parents: tuple[str, ...]
    inspirations: tuple[str, ...]
    novelty: float
    fixes: int | None
    cell: int | None
    state: str
    method: str | None
    placement: str | None
    gain: float | None
    new: int


def repeated(one: ProposalRecord | Past, directions: Mapping[str, Direction]) -> Choice:
    """Return the choice that a proposal was made by, given the directions that are known by name."""
    direction = directions.get(one.direction) or Direction(one.direction, "", ())
    prompt = direction, one.parents, one.inspirations
    return Choice(one.island, one.operator, one.model, *prompt, 0.0, one.novelty, one.fixes, one.cell)


def asked(number: int, choice: Choice) -> ProposalRecord:
    """Return the proposal that a choice begins: nothing has come of it yet."""
    return ProposalRecord(
        id=number,
        island=choice.island,
        operator=choice.operator,
        model=choice.model,
        direction=choice.direction.name,
        parents=choice.parents,
        prompt="",
        reply="",
        idea="",
        source=None,
        novelty=choice.novelty,
        state="asked",
        reason="",
        method=None,
        inspirations=choice.inspirations,
        fixes=choice.fixes,
        cell=choice.cell,
    )
