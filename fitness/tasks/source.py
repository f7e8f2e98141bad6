"""Defines what a builder hands over: one instance, and the protocol of what draws it. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fitness.tasks.secret import Secret


@dataclass(frozen=True, eq=False)
class Drawn:
    """An instance as the vault stores it. The training pool's true labels are not in it.

    Attributes:
        train_x: (n_train, d) float32, as in Problem.
        weak: (n_train, 2) float32, as in Problem.
        test_x: (n_test, d) float32, as in Problem.
        test_y: (n_test,) uint8, true labels.
        teacher: (n_test, 2) float32, the weak teacher's probabilities for the test rows.
        weak_acc: test accuracy of the weak teacher.
        strong_acc: test accuracy of the ceiling.
        pairs: None, or (p, 2) int64, as in Problem.
    """

    train_x: np.ndarray
    weak: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    teacher: np.ndarray
    weak_acc: float
    strong_acc: float
    pairs: np.ndarray | None = None

    @property
    def gap(self) -> float:
        """By how much accuracy the ceiling exceeds the teacher."""
        return self.strong_acc - self.weak_acc


@dataclass(frozen=True, eq=False)
class Draw:
    """An instance as a task draws it.

    Attributes:
        public: the arrays that methods are handed, by name; a list of strings where the contract says text.
        private: the arrays that score an answer; they never enter the sandbox.
        floor: the value of the anchor to beat; `ceiling`: the value that could be reached.
    """

    public: Mapping[str, Any]
    private: Mapping[str, Any]
    floor: float
    ceiling: float

    @property
    def gap(self) -> float:
        """By how much the ceiling exceeds the floor."""
        return self.ceiling - self.floor


class Source(Protocol):
    """Draws the instances of a task, in the builder process."""

    def draw(self, domain: str, secret: Secret) -> Drawn:
        """Draw one instance; everything random about it comes from the secret."""
