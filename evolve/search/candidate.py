"""Defines a candidate on its way through the ten steps, and how its proposal ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from archives.nouns import Placement, ProposalRecord, Usage
from evolve.budget import FREE
from evolve.models.metered import BudgetedModel
from evolve.nouns import Draft
from evolve.search.experiments import Experiments
from evolve.selection.choice import Choice, Reward
from fitness.nouns import Direction, Evaluation


@dataclass
class Candidate:
    """A child on its way through the ten steps: what was chosen, and what has come of it so far."""

    number: int
    choice: Choice
    draft: Draft | None = None
    evaluation: Evaluation | None = None
    model: BudgetedModel | None = None
    experiments: Experiments | None = None

    @property
    def usage(self) -> Usage:
        """What its model calls cost."""
        return self.draft.usage if self.draft else FREE

    @property
    def idea(self) -> str:
        """What was changed, in one line."""
        return (self.draft.idea if self.draft else "") or self.choice.operator

    @property
    def prediction(self) -> str:
        """What was predicted of its card."""
        return self.draft.prediction if self.draft else ""


class Ended(NamedTuple):  # a resume makes thousands of them, and a frozen dataclass takes five times as long
    """How a proposal ended.

    Attributes:
        state: done or refused.
        idea: what was tried; `reason`: why it led nowhere, None when it did not.
        broken: whether its child failed, and has a source that a model may repair.
        placement: what became of a judged child.
        direction: what it made instead of a method.
        prediction: what was predicted of its feedback card.
    """

    number: int
    choice: Choice
    reward: Reward
    state: str = "done"
    idea: str = ""
    reason: str | None = None
    broken: bool = False
    placement: Placement | None = None
    direction: Direction | None = None
    prediction: str = ""


class PastProposal(NamedTuple):
    """A proposal of an earlier session: what was asked, and what came of it."""

    id: int
    island: int
    operator: str
    model: str
    direction: str
    parents: tuple[str, ...]
    inspirations: tuple[str, ...]
    fixes: int | None
    cell: int | None
    state: str
    idea: str
    reason: str
    method: str | None
    placement: str | None
    gain: float | None
    has_source: int
    prediction: str


def repeated(one: ProposalRecord | PastProposal, directions: Mapping[str, Direction]) -> Choice:
    """Return the choice that a proposal was made by, but for what it was chosen for, given the directions by name."""
    direction = directions.get(one.direction) or Direction(one.direction, "", ())
    prompt = direction, one.parents, one.inspirations
    return Choice(one.island, one.operator, one.model, *prompt, 0.0, 0.0, one.fixes, one.cell)


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
