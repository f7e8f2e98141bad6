"""Holds one instance of a task as its checks see it: public and private arrays, and what an answer is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fitness.contracts.contract import TEXT, Arrays
from fitness.tasks import Task
from fitness.vault.instance import Answers, Instance

FEW = 20  # different values of a label, at most


@dataclass(frozen=True, eq=False)
class Sample:
    """An instance, whole and in its own order.

    Attributes:
        task: whose it is.
        instance: with the private arrays.
        public: what methods are handed of it.
    """

    task: Task
    instance: Instance
    public: Arrays

    @property
    def domain(self) -> str:
        """The instance's domain."""
        return self.instance.name.domain

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an answer."""
        return self.task.contract.shape(self.public)

    def recovered(self, answer: np.ndarray) -> float:
        """Return the gap that an answer recovers, whose numbers are brought into its range first. Raises TaskFault."""
        low, high = self.task.contract.answer.low, self.task.contract.answer.high
        within = answer if low is None and high is None else np.clip(answer, low, high)
        return self._answers.score(np.asarray(within, np.float32, order="C")).pgr

    @cached_property
    def _answers(self) -> Answers:
        found = self.instance
        return Answers(found.contract, found.scoring, found.private, found.floor, found.ceiling, {}, lambda: self.public)

    def tables(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Yield the public arrays of numbers that have rows: name, the rows' dimension, and (n, d) numbers."""
        for array in self.task.contract.arrays:
            if array.name in self.public and array.axes and array.dtype != TEXT:
                values = np.asarray(self.public[array.name])
                yield array.name, array.axes[0], values.reshape(len(values), -1)

    def targets(self) -> Iterator[Target]:
        """Yield the private arrays that hold a label or a number a row, of which an answer can be made that is worth the most.

        Where no answer can be made of any, those of them that no public array bears the name of.
        """
        found = [Target(self, name, _row_by_row(values)) for name, values in self.instance.private.items()]
        found = [target for target in found if target.values.ndim == 1]
        found = [target for target in found if len(np.unique(target.values)) > 1]
        scored = [target for target in found if target.worth() >= ENOUGH]
        yield from scored or [target for target in found if target.name not in self.public]


def _row_by_row(values: np.ndarray) -> np.ndarray:
    """Return the likeliest class of each row where rows are distributions over classes, else the values."""
    if values.ndim != 2 or not 2 <= values.shape[1] <= FEW or values.dtype.kind not in "fiub":
        return values
    return values.argmax(1) if values.min() >= 0 and np.allclose(values.sum(1), 1, atol=EVEN) else values


EVEN = 1e-3  # by how much the sum of a distribution may differ from 1
ENOUGH = 0.9  # of the gap: an array that recovers as much holds the truth


@dataclass(frozen=True, eq=False)
class Target:
    """A private array with one label or number a row.

    Attributes:
        values: (n,).
    """

    sample: Sample
    name: str
    values: np.ndarray

    @cached_property
    def labels(self) -> bool:
        """Whether these are labels rather than numbers."""
        return self.values.dtype.kind in "iubSU" and len(np.unique(self.values)) <= FEW

    @cached_property
    def codes(self) -> np.ndarray:
        """The values as numbers: labels by their places."""
        return np.unique(self.values, return_inverse=True)[1] if self.labels else self.values.astype(np.float64)

    def answer(self, codes: np.ndarray) -> np.ndarray | None:
        """Return the answer that says this of the rows; None where an answer is of another shape."""
        shape, n = self.sample.shape, len(self.values)
        if shape == (n,):
            return np.asarray(np.unique(self.values)[codes] if self.labels and self.values.dtype.kind in "iub" else codes)
        if len(shape) == 2 and shape[0] == n and self.labels and codes.max() < shape[1]:
            places = np.unique(self.values)[codes] if self.values.dtype.kind in "iu" else codes
            return np.eye(shape[1])[places] if places.max() < shape[1] else None
        return None

    def worth(self, codes: np.ndarray | None = None) -> float:
        """Return what saying this of the rows recovers (default: the truth); -inf where no answer can be made of it."""
        made = self.answer(self.codes if codes is None else codes)
        return -np.inf if made is None else self.sample.recovered(made)

    def some(self, rows: np.ndarray) -> Target:
        """Return some of the rows, of which no answer is made."""
        return replace(self, values=self.values[rows])

    def told(self, codes: np.ndarray) -> float:
        """Return how much of the values a guess says: the gap that it recovers, else how well it agrees."""
        made = self.worth(codes)
        return made if np.isfinite(made) else self.agreement(codes)

    def agreement(self, codes: np.ndarray) -> float:
        """Return how well a guess agrees with the values: 0 as by chance, 1 everywhere."""
        if self.labels:
            shares = [float((codes[self.codes == one] == one).mean()) for one in np.unique(self.codes)]
            chance = 1 / len(shares)
            return (float(np.mean(shares)) - chance) / (1 - chance)
        return 1 - float(np.mean((codes - self.codes) ** 2) / np.var(self.codes))
