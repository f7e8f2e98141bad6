"""Computes AUC PGR: the gap recovered by the area under the ROC curve, which is reported beside PGR and decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fitness import pgr
from fitness.nouns import Score

if TYPE_CHECKING:
    import numpy as np


def auc(probabilities: np.ndarray, truth: np.ndarray) -> float | None:
    """Return the area under the ROC curve of P(class 1), (n, 2), against the true classes, (n,).

    None for other than two classes, or where a class is missing.
    """
    if probabilities.shape[1:] != (2,) or set(truth.tolist()) != {0, 1}:
        return None
    from sklearn.metrics import roc_auc_score  # here: every command looks at a task, and few judge

    return float(roc_auc_score(truth, probabilities[:, 1]))


def score(value: float | None, floor: float | None, ceiling: float | None, n: int) -> Score | None:
    """Return AUC PGR of three areas on n rows; None where one is unknown, or the ceiling's is not above the floor's.

    Its error from the rows is not worked out (stderr 0): intervals come of the spread over instances alone.
    """
    if value is None or floor is None or ceiling is None or not ceiling > floor:
        return None
    return pgr.recovered(value, floor, ceiling, n)
