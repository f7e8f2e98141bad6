"""Turns the frame of a problem, its principal components: constants fitted in it then point elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from fitness.contracts.contract import Problem
from fitness.probes.examination import hard_labels

COMPONENTS = 16  # principal components that are mirrored: the truth is in the first eight
GAP = 2.0  # ratio of spreads from which components do not trade places: that would be another problem
BLOCK = 256  # rows that are turned at a time


def halves(problem: Problem, predictions: np.ndarray) -> list[int]:
    """Choose the leading components that carry half of the method's answers, as nearly as the largest first allows.

    Answers that follow a fixed direction of the frame are then as often wrong as right, whichever side the teacher prefers.
    """
    mean, axes = _principal(problem["train_x"])
    scores = problem["test_x"] @ axes[:, :COMPONENTS].astype(np.float32) - mean @ axes[:, :COMPONENTS]
    said = np.eye(problem.shape[-1])[hard_labels(predictions)]
    shares = np.square((said - said.mean(0)).T @ (scores / scores.std(0).clip(1e-12))).sum(0)
    chosen: list[int] = []
    surplus = 0.0
    for component in np.argsort(-shares):
        if surplus <= 0:
            chosen.append(int(component))
        surplus += shares[component] if surplus <= 0 else -shares[component]
    return chosen


def turned(problem: Problem, mirrored: Sequence[int], first: int, rng: np.random.Generator) -> Problem:
    """Turn round the principal components of train and test together: flip half of the signs, mirror the marginals of some.

    A sign flip alone would be undone by a frame whose signs are the components' skewness. Mirroring gives each row the value
    of the opposite rank with the opposite sign: it keeps the order of the rows and the variance, and negates every odd moment.
    Leading components then trade their variance with the next one, beginning with the `first`: each stands in the place of the
    other (unless a gap lies between them). Last, rows are brought to one norm, as in the data; where norms differed and told
    something, they no longer do.
    """
    mean, axes = _principal(problem["train_x"])
    train, test = (_by_block(x, lambda rows: (rows - mean) @ axes) for x in (problem["train_x"], problem["test_x"]))
    furthest = max(float(max(scores.max(), -scores.min())) for scores in (train, test))
    for component in mirrored:
        values = np.concatenate([[-furthest], np.sort(train[:, component]), [furthest]])
        train[:, component], test[:, component] = (np.interp(x[:, component], values, -values[::-1]) for x in (train, test))
    scales = rng.choice([-1.0, 1.0], len(mean))
    spread = [float(train[:, i].std(dtype=np.float64)) for i in range(min(COMPONENTS, len(mean)))]
    for one, other in pairwise(range(len(spread))):
        if one % 2 == first and spread[one] < GAP * spread[other]:
            scales[one] *= spread[other] / spread[one]
            scales[other] *= spread[one] / spread[other]
    norm = np.sqrt(np.einsum("ij,ij->i", problem["train_x"], problem["train_x"])).mean(dtype=np.float64)

    def back(scores: np.ndarray) -> np.ndarray:
        rows = mean + (scores * scales) @ axes.T
        scaled: np.ndarray = rows * (norm / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12))
        return scaled

    return problem.changed({"train_x": _by_block(train, back), "test_x": _by_block(test, back)})


def _by_block(x: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Change (n, d) rows in float64, a few at a time: the trusted process stays small. Returns (n, d) float32."""
    changed = np.empty(x.shape, np.float32)
    for start in range(0, len(x), BLOCK):
        changed[start : start + BLOCK] = change(x[start : start + BLOCK].astype(np.float64))
    return changed


def _principal(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the (d,) mean and the (d, d) principal axes of rows, the axis of largest variance first, in float64."""
    mean = x.mean(0, dtype=np.float64)
    centred = (x[start : start + BLOCK] - mean for start in range(0, len(x), BLOCK))
    axes = np.linalg.eigh(sum((rows.T @ rows for rows in centred), np.zeros((len(mean), len(mean))))).eigenvectors
    return mean, axes[:, ::-1]
