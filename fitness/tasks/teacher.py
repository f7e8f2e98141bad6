"""The weak teacher: a logistic head on the weak model's features, fitted on few true labels (builder process only)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression


@dataclass(frozen=True, eq=False)
class Teacher:
    """A fitted head and the scale of its features."""

    head: LogisticRegression
    scale: np.ndarray

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return (n, 2) float32 probabilities for (n, d) features."""
        return np.asarray(self.head.predict_proba(features / self.scale), dtype=np.float32)


def fit(features: np.ndarray, y: np.ndarray, penalty: float) -> Teacher:
    """Fit on (n, d) features and (n,) labels; `penalty` is scikit-learn's C, smaller is more regularised."""
    scale = features.std(0) + 1e-6
    return Teacher(LogisticRegression(C=penalty, max_iter=1000).fit(features / scale, y), scale)
