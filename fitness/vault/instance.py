"""Holds one instance of a task, and the answers that score a trial on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fitness.contracts.probabilities import Marks
from fitness.nouns import Split
from fitness.vault import storage


@dataclass(frozen=True)
class InstanceName:
    """Which instance of a task."""

    task: str
    domain: str
    split: Split
    index: int

    def __str__(self) -> str:
        """Return the name as people and HMAC labels see it."""
        return f"{self.task}/{self.domain}/{self.split}/{self.index}"


@dataclass(frozen=True, eq=False)
class Instance:
    """An instance whose file was verified. The large arrays stay on disk until a problem is made of them.

    Attributes:
        name: which one.
        weak_acc: test accuracy of the weak teacher.
        strong_acc: test accuracy of the ceiling.
        test_y: (n_test,) uint8, the true labels.
        teacher: (n_test, n_classes) float32, the teacher's probabilities for the test rows.
        path: the file.
        layout: where the arrays lie in it.
    """

    name: InstanceName
    weak_acc: float
    strong_acc: float
    test_y: np.ndarray
    teacher: np.ndarray
    path: Path
    layout: storage.Layout


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers to one trial's problem; they never leave the trusted process.

    Attributes:
        rows: (n_test,) the instance's row that stands at each place of the trial's test_x, which shows some of them.
        test_y: (n,) true labels, in the instance's order.
        teacher: (n,) the teacher's hard answers, in the instance's order.
    """

    rows: np.ndarray
    test_y: np.ndarray
    teacher: np.ndarray

    def score(self, predictions: np.ndarray) -> Marks:
        """Score (n_test, n_classes) probabilities in the trial's row order; a tie is the lowest class."""
        if len(predictions) != len(self.rows):
            raise ValueError(f"expected {len(self.rows)} rows of predictions, got shape {predictions.shape}")
        hard, truth, teacher = predictions.argmax(1), self.test_y[self.rows], self.teacher[self.rows]
        shares = (hard == truth, hard == teacher, predictions.max(1).astype(np.float64), hard != 0)
        return Marks(*(float(np.mean(share)) for share in shares))
