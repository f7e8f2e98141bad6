"""Defines what a builder hands over: one instance, and the protocol of what draws it. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fitness.tasks.secret import Secret


@dataclass(frozen=True, eq=False)
class Draw:
    """An instance as a task draws it.

    Attributes:
        public: the arrays that methods are handed, by name; a list of strings where the contract says text.
        private: the arrays that score an answer; they never enter the sandbox.
        floor: the value of the anchor to beat; `ceiling`: the value that could be reached.
        ceiling_auc: the area under the ROC curve of the ceiling's own answers, of two classes; None where only its value is
            known, or the floor is not the value of private["teacher"].
    """

    public: Mapping[str, Any]
    private: Mapping[str, Any]
    floor: float
    ceiling: float
    ceiling_auc: float | None = None

    @property
    def gap(self) -> float:
        """By how much the ceiling exceeds the floor."""
        return self.ceiling - self.floor


class Source(Protocol):
    """Draws the instances of a task, in the builder process."""

    def draw(self, domain: str, secret: Secret) -> Draw:
        """Draw one instance; everything random about it comes from the secret."""
