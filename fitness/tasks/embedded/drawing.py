"""Makes an instance of raw features: weak teacher, strong ceiling, and the frame that methods see (builder process only)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from fitness.auc import auc
from fitness.sandbox.inside.student import Student
from fitness.tasks.embedded import drawing
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw

NORM = 2.0  # of every row: at sqrt(d) the default student imitates the teacher all but exactly, at 1 it underfits
CEILING_EPOCHS = 10
GAIN = 0.5  # standard deviation of the logarithm of a channel's gain: constants fitted on other instances then point elsewhere


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples before they become an instance.

    Attributes:
        strong: (n, d) the strong model's features.
        weak: (n, d_weak) the weak model's features.
        y: (n,) true labels, 0 or 1.
        pairs: None, or (p, 2) int64: pairs of examples of which exactly one is true.
    """

    strong: np.ndarray
    weak: np.ndarray
    y: np.ndarray
    pairs: np.ndarray | None = None


def balanced_labels(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n labels in random order, half of them 1: else the majority class would be as good as the teacher."""
    return rng.permutation(np.arange(n) % 2)


def assemble(labelled: Examples, train: Examples, test: Examples, penalty: float, secret: Secret) -> Draw:
    """Fit the teacher on `labelled`, the ceiling on `train`'s true labels, and put the features into the methods' frame."""
    head = drawing.fit(labelled.weak, labelled.y, penalty)
    weak, teacher_test = head.probabilities(train.weak), head.probabilities(test.weak)
    train_x, test_x = frame(train.strong, test.strong, secret)
    answers = ceiling(train_x, train.y, test_x, secret.seed("ceiling"))
    pairs = {} if train.pairs is None else {"pairs": train.pairs}
    return Draw(
        public={"train_x": train_x, "weak": weak, "test_x": test_x, **pairs},
        private={"test_y": test.y.astype(np.uint8), "teacher": teacher_test},
        floor=float(np.mean(teacher_test.argmax(1) == test.y)),
        ceiling=float(np.mean(answers.argmax(1) == test.y)),
        ceiling_auc=auc(answers, test.y),
    )


def ceiling(train_x: np.ndarray, y: np.ndarray, test_x: np.ndarray, seed: int) -> np.ndarray:
    """Train the student that methods are handed (`problem.student`) on true labels; return its (n_test, 2) probabilities."""
    predictor = Student(seed, n_classes=2).fit(torch.from_numpy(train_x), torch.from_numpy(y), epochs=CEILING_EPOCHS)
    return np.asarray(predictor(torch.from_numpy(test_x)))


def frame(
    train: np.ndarray, test: np.ndarray, secret: Secret, gain: float = GAIN, *, rows: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Standardise by the training rows, multiply each channel by its gain, bring each row to the same norm, rotate; float32.

    Without `rows` all rows are scaled alike, so that the training rows have that norm in the mean.

    A rotation alone would keep norms, and the norm tells true from false; unrotated coordinates would keep their meaning.
    Without the gains all instances would share their principal components, and numbers remembered of them would name the truth.
    """
    width = train.shape[1]
    scale = np.exp(gain * secret.rng("gains").standard_normal(width)) / (train.std(0) + 1e-6)
    mean, turn = train.mean(0), rotation(width, secret.rng("rotation"))
    scaled = (train - mean) * scale, (test - mean) * scale
    if not rows:
        common = NORM / np.linalg.norm(scaled[0], axis=1).mean()
        return _plain(common * scaled[0] @ turn), _plain(common * scaled[1] @ turn)
    return _turned(scaled[0], turn), _turned(scaled[1], turn)


def rotation(d: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a (d, d) orthogonal matrix from the Haar measure (Mezzadri 2007: QR with the signs of R's diagonal)."""
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    return np.asarray(q * np.sign(np.diag(r)))


def _turned(x: np.ndarray, turn: np.ndarray) -> np.ndarray:
    rows = NORM * x / np.linalg.norm(x, axis=1, keepdims=True)
    return _plain(rows @ turn)


def _plain(x: np.ndarray) -> np.ndarray:
    return np.asarray(x, dtype=np.float32)


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
