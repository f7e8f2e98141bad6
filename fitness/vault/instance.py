"""Holds one instance of a task, and the answers that score a trial on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from fitness import auc
from fitness.contracts.arranging import Rows, restored
from fitness.contracts.contract import Arrays, Contract, Scoring
from fitness.nouns import Score, Split
from fitness.vault import storage
from fitness.vault.marks import Marks, marked


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
    """An instance whose file was verified. The public arrays stay on disk until a problem is made of them.

    Attributes:
        name: which one.
        contract, scoring: the task's.
        floor: the value of the anchor to beat; `ceiling`: the value that could be reached.
        private: what scores an answer.
        path: the file.
        layout: where the arrays lie in it.
        ceiling_auc: the area under the ROC curve of the ceiling; None where nobody knows it.
    """

    name: InstanceName
    contract: Contract
    scoring: Scoring
    floor: float
    ceiling: float
    private: Arrays
    path: Path
    layout: storage.Layout
    ceiling_auc: float | None = None


@dataclass(frozen=True, eq=False)
class Answers:
    """What scores the answer to one trial's problem; it never leaves the trusted process.

    Attributes:
        contract, scoring, floor, ceiling, ceiling_auc: the instance's.
        private: what scores an answer, in the instance's order.
        rows: by dimension: the place in the instance of what stands at each place of the trial, which may show only some.
        public: returns the arrays that methods are handed, in the instance's order.
    """

    contract: Contract
    scoring: Scoring
    private: Arrays
    floor: float
    ceiling: float
    rows: Rows
    public: Callable[[], Arrays] = dict
    ceiling_auc: float | None = None

    def score(self, predictions: np.ndarray) -> Score:
        """Score an answer in the trial's order. Raises TaskFault where the task's own code does not."""
        return self.scoring.score(self._whole(predictions), self._shown, self.floor, self.ceiling)

    def behaviour(self, predictions: np.ndarray) -> Mapping[str, float]:
        """Return the contract's measures of an answer. Raises TaskFault where the task's own code does not."""
        return self.scoring.behaviour(self._whole(predictions), self.public, self._shown)

    def errors(self, predictions: np.ndarray) -> Mapping[str, float]:
        """Return what kind of errors an answer makes."""
        return self.scoring.errors(self._whole(predictions), self._shown)

    def auc(self, predictions: np.ndarray) -> Score | None:
        """Return the gap recovered by the area under the ROC curve; None where the ceiling's is unknown, or leaves no gap."""
        if self.ceiling_auc is None or not {"teacher", "test_y"} <= self.private.keys():
            return None
        floor = auc.auc(self.private["teacher"], self.private["test_y"])
        value = auc.auc(self._whole(predictions), self._shown["test_y"])
        return auc.score(value, floor, self.ceiling_auc, len(predictions))

    def marks(self, predictions: np.ndarray) -> Marks | None:
        """Return which rows of the instance were shown, and which of them an answer has right; None where nothing says so."""
        right = self.scoring.right(self._whole(predictions), self._shown)
        if right is None:
            return None
        places = self._some.get(self.contract.answer.axes[0])
        return marked(np.arange(len(right)) if places is None else places, right)

    @cached_property
    def _some(self) -> Rows:
        """The dimensions of which a trial shows some places only: what scores them is put into the trial's order."""
        return {order.dim: self.rows[order.dim] for order in self.contract.orders if order.shown and order.dim in self.rows}

    @cached_property
    def _shown(self) -> Arrays:
        chosen = dict(self.private)
        for declared in self.contract.private:
            for axis, dim in enumerate(declared.axes):
                if dim in self._some:
                    chosen[declared.name] = np.take(chosen[declared.name], self._some[dim], axis)
        return chosen

    def _whole(self, predictions: np.ndarray) -> np.ndarray:
        """Return an answer in the instance's order along the dimensions that are shown whole."""
        for axis, dim in enumerate(self.contract.answer.axes):
            if dim in self.rows and predictions.shape[axis] != len(self.rows[dim]):
                raise ValueError(f"expected {len(self.rows[dim])} rows of predictions, got shape {predictions.shape}")
        moved = {dim: rows for dim, rows in self.rows.items() if dim not in self._some}
        return restored(self.contract.answer.axes, predictions, moved)
