"""Defines a candidate on its way through the ten steps, and the proposals of earlier sessions that a resume goes on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from archives.nouns import ProposalRecord
from evolve.models.metered import BudgetedModel
from evolve.nouns import Draft
from evolve.selection.choice import Choice
from fitness.nouns import Direction, Evaluation


@dataclass
class Candidate:
    """A child on its way through the ten steps: what was chosen, and what has come of it so far."""

    number: int
    choice: Choice
    draft: Draft | None = None
    evaluation: Evaluation | None = None
    model: BudgetedModel | None = None

    @property
    def idea(self) -> str:
        """What was changed, in one line."""
        return (self.draft.idea if self.draft else "") or self.choice.operator


class PastProposal(NamedTuple):
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


def repeated(one: ProposalRecord | PastProposal, directions: Mapping[str, Direction]) -> Choice:
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
