"""Defines what selection is told and what it answers: proposers of children, choices, and their rewards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from archives.nouns import Usage
from evolve.nouns import Subject
from fitness.nouns import Direction


@dataclass(frozen=True)
class Proposer:
    """What selection needs to know of an operator: how many parents, its model ("" for none), what it works on, if it tries."""

    operator: str
    parents: int
    model: str
    subject: Subject = "parents"
    experiments: bool = False


@dataclass(frozen=True)
class Choice:
    """One prompt: what is asked of whom, about which methods.

    Attributes:
        fixes: the failed proposal that is to be repaired, if any.
        cell: the cell whose elite the first parent was.
        pairs: the methods that might have been crossed with the first parent, each with what it would add (pairing.Adds).
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
    pairs: tuple[tuple[str, float | None], ...] = ()


class Reward(NamedTuple):
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
