"""Holds what a user brings of one domain, and checks that it is whole, honest and enough."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from fitness.registry import UsageError
from fitness.tasks.data.reading import FEATURES, KINDS, LABELS, PAIRS, TEACHER, WEAK, read

CLASSES = 10  # most classes
EVEN = 1e-3  # by how much the sum of a row's probabilities may differ from 1
LEAST_ROWS = 100  # of each file: no student learns, and no interval means anything, of fewer
LEAST_OF_CLASS = 10  # test rows of each class
HALF_WIDTH = 0.1  # of the gap recovered: half of the interval that rows are counted for
REACH = NormalDist().inv_cdf(0.95)  # of the 90 % interval
TELLS = 0.98  # of 1: a column that tells as much is the label, or was made of it
NORM = 0.5  # the same for the norm of a row: much less than a feature may tell
SHARED = 0.01  # share of the test rows that may stand in the training file too


@dataclass(frozen=True, eq=False)
class Pool:
    """A domain's rows.

    Attributes:
        train: (n, d) features; `weak`: (n, k) the weak probabilities for them; `pairs`: None, or (p, 2) rows of `train`, of
            which exactly one is of class 1; `train_labels`: None, or (n,) their true classes, for the ceiling alone.
        test: (m, d) features; `labels`: (m,) their true classes; `teacher`: None, or (m, k) the weak probabilities for them.
    """

    train: np.ndarray
    weak: np.ndarray
    test: np.ndarray
    labels: np.ndarray
    teacher: np.ndarray | None = None
    pairs: np.ndarray | None = None
    train_labels: np.ndarray | None = None

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.weak.shape[1])


def domains_of(folder: Path) -> tuple[str, ...]:
    """Return the domains in a folder of data, in order. Raises UsageError when there are none."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: --data names one with a folder a domain in it")
    found = sorted(inner.name for inner in folder.iterdir() if inner.is_dir() and not inner.name.startswith("."))
    if not found:
        raise UsageError(f"{folder} has no folders: put train.csv and test.csv (or npz, parquet) into {folder}/NAME/")
    return tuple(found)


def files_of(folder: Path) -> tuple[Path, Path]:
    """Return the training and the test file of a domain. Raises UsageError when one is missing, or there are two of it."""
    pair = []
    for stem in ("train", "test"):
        found = [path for kind in KINDS if (path := folder / f"{stem}{kind}").is_file()]
        if len(found) != 1:
            several = f"both {found[0].name} and {found[1].name}: leave one" if found else f"no {stem}.npz, .parquet or .csv"
            raise UsageError(f"{folder} has {several}")
        pair += found
    return pair[0], pair[1]


def digests(folder: Path) -> dict[str, str]:
    """Return eight hexadecimal digits of the SHA-256 of each file, by its place in the folder."""
    paths = [path for domain in domains_of(folder) for path in files_of(folder / domain)]
    return {str(path.relative_to(folder)): digest_of(path) for path in paths}


def digest_of(path: Path) -> str:
    """Return eight hexadecimal digits of a file's SHA-256. Raises UsageError when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:8]
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error


def load(folder: Path) -> Pool:
    """Read a domain. Raises UsageError with what is wrong with its files."""
    train, test = files_of(folder)
    return pool_of(read(train), read(test), str(train), str(test))


def pool_of(train: Mapping[str, Any], test: Mapping[str, Any], train_name: str = "train", test_name: str = "test") -> Pool:
    """Make a pool of named arrays. Raises UsageError for what is missing, misshapen or not finite."""
    features = [_features(arrays, name) for arrays, name in ((train, train_name), (test, test_name))]
    widths = [array.shape[1] for array in features]
    if widths[0] != widths[1]:
        raise UsageError(f"{train_name} has {widths[0]} features and {test_name} {widths[1]}: they must be the same columns")
    labels = _classes(_wanted(test, LABELS, test_name), f"the labels of {test_name}", len(features[1]))
    weak = _probabilities(_wanted(train, WEAK, train_name), f"the weak labels of {train_name}", len(features[0]))
    teacher = test.get(TEACHER)
    teacher = None if teacher is None else _probabilities(teacher, f"the teacher of {test_name}", len(features[1]))
    truth = train.get(LABELS)
    truth = None if truth is None else _classes(truth, f"the labels of {train_name}", len(features[0]))
    known = [int(found.max()) + 1 for found in (labels, truth) if found is not None]
    widest = max(2, weak.shape[1], 0 if teacher is None else teacher.shape[1], *known)
    if widest > CLASSES:
        raise UsageError(f"there are {widest} classes in {train_name} and {test_name}: a task has 2 to {CLASSES}")
    weak = _widened(weak, widest, f"the weak labels of {train_name}")
    teacher = None if teacher is None else _widened(teacher, widest, f"the teacher of {test_name}")
    pairs = _pairs(train.get(PAIRS), len(features[0]), widest, train_name)
    return Pool(features[0], weak, features[1], labels, teacher, pairs, truth)


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


def _wanted(arrays: Mapping[str, Any], name: str, file: str) -> Any:
    if arrays.get(name) is None:
        columns = f"an array {name}, or columns {name} or {name}_0, {name}_1 and so on" if name == WEAK else f"a column {name}"
        raise UsageError(f"{file} has no {name}: it needs {columns}")
    return arrays[name]


def _features(arrays: Mapping[str, Any], file: str) -> np.ndarray:
    found = _numbers(_wanted(arrays, FEATURES, file), f"the features of {file}")
    if found.ndim != 2 or not found.size:
        raise UsageError(f"the features of {file} have shape {found.shape}: they are a table of rows and columns")
    return found.astype(np.float32)


def _numbers(value: Any, what: str) -> np.ndarray:
    try:
        found = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{what} are no table of numbers: rows of different lengths, or text") from None
    wrong = np.argwhere(~np.isfinite(found))
    if len(wrong):
        where = f"row {wrong[0][0]}" + (f", column {wrong[0][1]}" if found.ndim > 1 else "")
        raise UsageError(f"{what} are not all finite: {where} (counted from 0) is {found[tuple(wrong[0])]}")
    return found


def _classes(value: Any, what: str, rows: int) -> np.ndarray:
    found = _numbers(value, what)
    if found.shape != (rows,):
        raise UsageError(f"{what} have shape {found.shape}, and there are {rows} rows")
    if (found != found.round()).any() or found.min() < 0:
        raise UsageError(f"{what} are not whole numbers from 0")
    if found.max() >= CLASSES:
        raise UsageError(f"{what} go up to {int(found.max())}: a task has 2 to {CLASSES} classes, numbered from 0")
    return np.asarray(found, np.uint8)


def _probabilities(value: Any, what: str, rows: int) -> np.ndarray:
    """Return (n, k) probabilities: of whole numbers (labels), of P(class 1), or as they are."""
    found = _numbers(value, what)
    if found.ndim == 1 and (found == found.round()).all():
        labels = _classes(found, what, rows)
        return np.asarray(np.eye(max(2, int(labels.max()) + 1), dtype=np.float32)[labels])
    if found.ndim == 1:
        found = np.stack([1 - found, found], 1)
    if found.ndim != 2 or len(found) != rows:
        raise UsageError(f"{what} have shape {found.shape}, and there are {rows} rows")
    if found.min() < 0 or found.max() > 1 or np.abs(found.sum(1) - 1).max() > EVEN:
        raise UsageError(f"{what} are no probabilities: numbers from 0 to 1, whose sum in each row is 1")
    return found.astype(np.float32)


def _widened(found: np.ndarray, classes: int, what: str) -> np.ndarray:
    """Return probabilities of all classes: labels may leave the last ones out."""
    if found.shape[1] < classes and not np.isin(found, (0, 1)).all():
        raise UsageError(f"{what} have {found.shape[1]} classes, and the labels {classes}")
    return np.pad(found, ((0, 0), (0, classes - found.shape[1])))


def _pairs(value: Any, rows: int, classes: int, file: str) -> np.ndarray | None:
    if value is None:
        return None
    found = _numbers(value, f"the pairs of {file}")
    if found.ndim != 2 or found.shape[1] != 2 or (found != found.round()).any() or found.min() < 0 or found.max() >= rows:
        raise UsageError(f"the pairs of {file} are not (p, 2) rows of it, whole numbers below {rows}")
    if classes != 2:
        raise UsageError(f"the pairs of {file} say that one of two rows is of class 1: they need two classes, not {classes}")
    return found.astype(np.int64)
