"""Draws instances of a user's own data by resampling its rows (builder process only)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fitness.auc import auc
from fitness.registry import UsageError
from fitness.sandbox.inside.student import Student
from fitness.tasks.data.pool import Pool, digest_of, files_of, load
from fitness.tasks.embedded.drawing import CEILING_EPOCHS, frame
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw

SHARE = 0.8  # of the rows, in each instance: others each time
ROWS = 4000  # with fewer the student takes more epochs, and as many steps: of small data ten epochs are no training
REACH = 5.0  # standard deviations: what lies further out is taken as being there, or rare columns would be all of a row's norm
STILL = 1e-6  # standard deviation of a column that does not vary
TRAIN, TEST = 4000, 3000  # most rows of an instance


class DataSource:
    """Draws instances of the domains that lie in a folder."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._folder, self._options = Path(options["folder"]), options
        self._pool = cache(self._read)

    def draw(self, domain: str, secret: Secret) -> Draw:
        """Draw some of the training and of the test rows, in the methods' frame."""
        pool = self._pool(domain)
        return framed(pool, choose(pool, self._options, secret), self._options, secret)

    def _read(self, domain: str) -> Pool:
        """Read a domain whose files are as they were when the run began. Raises UsageError; also for a ceiling that is none."""
        for path in files_of(self._folder / domain):
            if self._options["files"].get(name := str(path.relative_to(self._folder))) != digest_of(path):
                raise UsageError(f"{name} in {self._folder} has changed since: put it back as it was, or begin a new run")
        pool, ceiling = load(self._folder / domain), self._options["ceiling"]
        if ceiling is not None and pool.teacher is None and ceiling <= (floor := _floor(pool, self._options["normalise"])):
            whose = "the default student on the weak labels, which is the floor as test has no teacher"
            raise UsageError(f"{domain}: the ceiling that you gave, {ceiling:.3f}, is not above {floor:.3f} of {whose}")
        return pool


@dataclass(frozen=True, eq=False)
class Chosen:
    """The rows of a pool that an instance has.

    Attributes:
        train, test: their places; `held`: those of test rows that are held back, for the ceiling.
    """

    train: np.ndarray
    test: np.ndarray
    held: np.ndarray


def choose(pool: Pool, options: Mapping[str, Any], secret: Secret) -> Chosen:
    """Draw rows; half of the test rows are held back where nothing else gives a ceiling. `options`: data.task.DataOptions."""
    hold_back = options["ceiling"] is None and pool.train_labels is None
    rng, balanced = secret.rng("rows"), options["classes"] == "balanced"
    train = _some(len(pool.train), TRAIN, pool.train_labels if balanced else None, rng)
    order = rng.permutation(len(pool.test))
    held, rest = np.split(order, [len(order) // 2 if hold_back else 0])
    return Chosen(train, rest[_some(len(rest), TEST, pool.labels[rest] if balanced else None, rng)], held)


def framed(pool: Pool, rows: Chosen, options: Mapping[str, Any], secret: Secret) -> Draw:
    """Make an instance of rows of a pool, in the methods' frame.

    The ceiling is the default student on true labels: those of the training rows where the data has them, else those of the
    test rows that are held back; or the number that the user gave.
    """
    train, test, given = rows.train, rows.test, options["ceiling"]
    features, shown = _framed(pool.train[train], pool.test[np.concatenate([test, rows.held])], secret, options["normalise"])
    test_x, held_x = np.split(shown, [len(test)])
    public = {"train_x": features, "weak": pool.weak[train], "test_x": test_x}
    if pool.pairs is not None:
        public["pairs"] = _moved(pool.pairs, train)
    truth = pool.labels[test]
    teacher = _student(features, pool.weak[train], test_x, secret) if pool.teacher is None else pool.teacher[test]
    area = None
    if given is None:
        x, y = (held_x, pool.labels[rows.held]) if pool.train_labels is None else (features, pool.train_labels[train])
        answers = _student(x, np.eye(pool.classes, dtype=np.float32)[y], test_x, secret)
        given, area = _right(answers, truth), auc(answers, truth)
    return Draw(public, {"test_y": truth, "teacher": teacher}, _right(teacher, truth), given, area)


def _some(n: int, most: int, balanced: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Return some of n rows; as many of each class of the labels that are to be balanced."""
    count = min(most, int(SHARE * n))
    if balanced is None:
        return rng.permutation(n)[:count]
    sides = [np.flatnonzero(balanced == label) for label in np.unique(balanced)]
    each = min(count // len(sides), min(map(len, sides)))
    return rng.permutation(np.concatenate([rng.permutation(side)[:each] for side in sides]))


def _floor(pool: Pool, normalise: bool) -> float:
    """Return the accuracy of the default student on the weak labels, on rows of the whole pool: what draws have in the mean."""
    known = Secret(bytes(32))  # nothing that is drawn comes of it
    train = known.rng("train").permutation(len(pool.train))[:TRAIN]
    test = known.rng("test").permutation(len(pool.test))[:TEST]
    x, test_x = _framed(pool.train[train], pool.test[test], known, normalise)
    return _right(_student(x, pool.weak[train], test_x, known), pool.labels[test])


def _framed(train: np.ndarray, others: np.ndarray, secret: Secret, normalise: bool) -> tuple[np.ndarray, np.ndarray]:
    """Put rows into the methods' frame, by the training rows; a column that does not vary among these says nothing."""
    mean, spread = train.mean(0), train.std(0)
    scale = np.where(spread < STILL, 0, 1 / np.maximum(spread, STILL))
    first, second = (np.clip((x - mean) * scale, -REACH, REACH) for x in (train, others))
    return frame(first, second, secret, rows=normalise)


def _moved(pairs: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    """Return the pairs of which both rows were drawn, as places in the draw; None when there are none."""
    places = np.full(max(int(pairs.max()), int(rows.max())) + 1, -1)
    places[rows] = np.arange(len(rows))
    found = places[pairs]
    found = found[(found >= 0).all(1)]
    return found if len(found) else None


def _student(x: np.ndarray, targets: np.ndarray, test_x: np.ndarray, secret: Secret) -> np.ndarray:
    """Train the student that methods are handed; return its probabilities."""
    student = Student(secret.seed("ceiling"), n_classes=targets.shape[1])
    epochs = CEILING_EPOCHS * max(1, ROWS // len(x))
    predictor = student.fit(torch.from_numpy(x), torch.from_numpy(targets), epochs=epochs)
    return np.asarray(predictor(torch.from_numpy(test_x)))


def _right(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean(probabilities.argmax(1) == truth))
