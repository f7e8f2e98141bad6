"""Scores answers that know nothing: constants, noise, and what was handed out given back. None may be worth what work is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fitness.checks.sample import Sample


def nulls(sample: Sample) -> Iterator[tuple[str, float]]:
    """Yield the name of each null answer, and the gap that it recovers. Raises TaskFault where the task's score() fails."""
    rng = np.random.default_rng(0)
    for name, answer in _answers(sample, rng):
        yield name, sample.recovered(answer)


def _answers(sample: Sample, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    shape, answer = sample.shape, sample.task.contract.answer
    yield "zeros", np.zeros(shape)
    yield "ones", np.ones(shape)
    if answer.low is not None and answer.high is not None:
        yield "noise", np.asarray(rng.uniform(answer.low, answer.high, shape))
    else:
        yield "noise", np.asarray(rng.standard_normal(shape))
    for name, _, table in sample.tables():
        yield f"the array {name} given back", _fitted(table, shape)
        yield f"the array {name} given back, its rows permuted", _fitted(rng.permutation(table), shape)


def _fitted(table: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a table as an answer: as it is where the sizes agree, one number a row as its place, else again and again."""
    n = shape[0] if shape else 1
    if len(shape) == 2 and table.shape == (n, 1) and table.min() >= 0 and table.max() < shape[1]:
        return np.eye(shape[1])[table[:, 0].astype(np.int64)]
    if shape and len(table) == n:
        return np.stack([np.resize(row, shape[1:]) for row in table]) if len(shape) > 1 else table[:, 0]
    return np.resize(table, shape)
