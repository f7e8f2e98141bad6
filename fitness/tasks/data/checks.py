"""Checks that a domain of somebody's own data is honest and enough."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from fitness.tasks.data.pool import Pool

LEAST_ROWS = 100  # of each file: no student learns, and no interval means anything, of fewer
LEAST_OF_CLASS = 10  # test rows of each class
HALF_WIDTH = 0.1  # of the gap recovered: half of the interval that rows are counted for
REACH = NormalDist().inv_cdf(0.95)  # of the 90 % interval
TELLS = 0.98  # of 1: a column that tells as much is the label, or was made of it
NORM = 0.5  # the same for the norm of a row: much less than a feature may tell
SHARED = 0.01  # share of the test rows that may stand in the training file too


def check(pool: Pool, ceiling: float | None = None, normalise: bool = True) -> Iterator[tuple[str, str, bool]]:
    """Check a domain: yield the name of each check, a sentence, and whether it passed."""
    yield _rows(pool)
    yield _all_classes(pool)
    yield _labels_in_features(pool)
    if not normalise:
        yield _norm(pool)
    yield _duplicates(pool)
    yield _anchors(pool, ceiling)


def needed_rows(gap: float) -> int:
    """Return how many test rows leave an interval of the gap recovered of plus and minus a tenth, by the rows alone."""
    return math.ceil(0.25 * (REACH / (HALF_WIDTH * gap)) ** 2)


def teacher_accuracy(pool: Pool) -> float | None:
    """Return the accuracy of the weak teacher on the test rows, None when they do not say."""
    return None if pool.teacher is None else float((pool.teacher.argmax(1) == pool.labels).mean())


def _rows(pool: Pool) -> tuple[str, str, bool]:
    few = [name for name, rows in (("train", pool.train), ("test", pool.test)) if len(rows) < LEAST_ROWS]
    most = needed_rows(0.2)
    sentence = (
        f"{len(pool.train):,} training and {len(pool.test):,} test rows; an interval of ±{HALF_WIDTH} takes {most:,} test "
    )
    sentence += "rows where the ceiling is .2 above the floor"
    if few:
        return "rows", f"too few rows in {' and '.join(few)}, at least {LEAST_ROWS} are needed: {sentence}", False
    return "rows", sentence, True


def _all_classes(pool: Pool) -> tuple[str, str, bool]:
    counts = np.bincount(pool.labels, minlength=pool.classes)
    shown = ", ".join(f"{n:,}" for n in counts)
    if (counts > 0).sum() < 2:
        return "classes", f"all test rows are of one class ({shown} rows of each): there is nothing to tell apart", False
    if counts.min() < LEAST_OF_CLASS:
        least = f"class {counts.argmin()} has {counts.min()} test rows, and each needs {LEAST_OF_CLASS}"
        return "classes", f"{least}: leave it out, and number the others from 0 ({shown})", False
    if len(np.unique(pool.weak.argmax(1))) < 2:
        return "classes", "all weak labels are of one class: there is nothing to learn of them", False
    return "classes", f"{pool.classes} classes, test rows of each: {shown}", True


def _labels_in_features(pool: Pool) -> tuple[str, str, bool]:
    """A column that tells the classes by itself, in runs of its sorted values, is the label or was made of it."""
    classes = range(pool.classes) if pool.classes > 2 else ()
    for column in range(pool.test.shape[1]):
        order = np.argsort(pool.test[:, column], kind="stable")
        values, labels = pool.test[order, column], pool.labels[order]
        if told(values, labels) >= TELLS or any(told(values, labels == one) >= TELLS for one in classes):
            return "labels in the features", f"feature {column} alone tells the test labels: leave it out of both files", False
    return "labels in the features", "no feature alone tells the labels", True


def _norm(pool: Pool) -> tuple[str, str, bool]:
    """Without normalised rows a method sees norms; a rotation leaves them as they are."""
    with np.errstate(over="ignore"):  # such a row is the last one
        length = np.linalg.norm((pool.test - pool.train.mean(0)) / (pool.train.std(0) + 1e-6), axis=1)
    order = np.argsort(length, kind="stable")
    share = told(length[order], pool.labels[order])
    if share > NORM:
        return (
            "norm",
            f"the norm of a row tells the class ({share:.2f}, where 0 is chance and 1 all): leave normalise on",
            False,
        )
    return "norm", "the norm of a row does not tell the class", True


def told(values: np.ndarray, classes: np.ndarray) -> float:
    """Return how well a value tells classes, of rows sorted by it: 0 as by chance, 1 where it tells them all.

    Few values: each stands for the class that most of its rows are of, and the mean over classes counts. Many: the sorted rows
    change class as rarely as they can, or as often as in a random order (Wald and Wolfowitz 1940).
    """
    present, sizes = np.unique(classes, return_counts=True)
    n, least = len(classes), len(present)
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    if len(starts) <= n // 10:
        counts = np.stack([np.add.reduceat((classes == one).astype(int), starts) for one in present])
        right = np.where(counts == counts.max(0), counts, 0).sum(1) / sizes
        return float((right.mean() - 1 / least) / (1 - 1 / least)) if least > 1 else 0.0
    runs = 1 + int((classes[1:] != classes[:-1]).sum())
    usual = 1 + n - float((sizes**2).sum()) / n
    return 1 - (runs - least) / max(usual - least, 1.0)


def _duplicates(pool: Pool) -> tuple[str, str, bool]:
    shared = int(np.isin(_rows_as_bytes(pool.test), _rows_as_bytes(pool.train)).sum())
    if shared > SHARED * len(pool.test):
        sentence = f"{shared:,} of {len(pool.test):,} test rows stand in the training file too: leave them out of one"
        return "duplicates", sentence, False
    return "duplicates", f"{shared} of {len(pool.test):,} test rows stand in the training file too", True


def _rows_as_bytes(rows: np.ndarray) -> np.ndarray:
    whole = np.ascontiguousarray(rows)
    found: np.ndarray = whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1])))[:, 0]
    return found


def _anchors(pool: Pool, ceiling: float | None) -> tuple[str, str, bool]:
    floor = teacher_accuracy(pool)
    if floor is None:
        return "anchors", "test has no teacher: the floor is the default student on the weak labels", True
    if ceiling is not None and ceiling <= floor:
        sentence = f"the ceiling that you gave, {ceiling:.3f}, is not above the weak teacher, {floor:.3f} of the test rows"
        return "anchors", sentence, False
    above = "held-back labels" if ceiling is None else f"{ceiling:.3f}, as you gave it"
    return "anchors", f"the weak teacher is right on {floor:.3f} of the test rows; the ceiling is {above}", True
