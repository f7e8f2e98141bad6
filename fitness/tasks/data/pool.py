"""Holds what a user brings of one domain: arrays that are whole, and belong together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fitness.registry import UsageError
from fitness.tasks.data.columns import SMALL, aligned, narrowed
from fitness.tasks.data.reading import FEATURES, KINDS, LABELS, PAIRS, TEACHER, WEAK, read

CLASSES = 10  # most classes
EVEN = 1e-3  # by how much the sum of a row's probabilities may differ from 1


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
    """Return the domains in a folder of data, in order. Raises UsageError when there are none, or one has no name."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: --data names one with a folder a domain in it")
    found = sorted(inner.name for inner in folder.iterdir() if inner.is_dir() and not inner.name.startswith("."))
    if not found:
        raise UsageError(f"{folder} has no folders: put train.csv and test.csv (or npz, parquet) into {folder}/NAME/")
    for name in found:
        check_name(name, f"the folder {folder / name}")
    return tuple(found)


def check_name(name: object, what: str) -> None:
    """Raise UsageError when a domain cannot have this name: files, settings and tables are named after it."""
    if not (isinstance(name, str) and re.fullmatch(r"\w[\w-]*", name)):
        raise UsageError(f"{what} cannot name a domain: use letters, digits, _ and -")


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
    names = str(train), str(test)
    return pool_of(*aligned(read(train), read(test), *names), *names)


def pool_of(train: Mapping[str, Any], test: Mapping[str, Any], train_name: str = "train", test_name: str = "test") -> Pool:
    """Make a pool of named arrays. Raises UsageError for what is missing, misshapen or not finite."""
    given = [_features(arrays, name) for arrays, name in ((train, train_name), (test, test_name))]
    widths = [array.shape[1] for array in given]
    if widths[0] != widths[1]:
        raise UsageError(f"{train_name} has {widths[0]} features and {test_name} {widths[1]}: they must be the same columns")
    features = narrowed(*given)
    if features[0].std(0).max() < SMALL:
        raise UsageError(f"no feature of {train_name} varies: its rows are all alike, and there is nothing to learn of them")
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


def _wanted(arrays: Mapping[str, Any], name: str, file: str) -> Any:
    if arrays.get(name) is None:
        columns = f"an array {name}, or columns {name} or {name}_0, {name}_1 and so on" if name == WEAK else f"a column {name}"
        raise UsageError(f"{file} has no {name}: it needs {columns}")
    return arrays[name]


def _features(arrays: Mapping[str, Any], file: str) -> np.ndarray:
    found = _numbers(_wanted(arrays, FEATURES, file), f"the features of {file}")
    if found.ndim != 2 or not found.size:
        raise UsageError(f"the features of {file} have shape {found.shape}: they are a table of rows and columns")
    return found


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
        raise UsageError(f"{what} go up to {found.max():g}: a task has 2 to {CLASSES} classes, numbered from 0")
    return np.asarray(found, np.uint8)


def _probabilities(value: Any, what: str, rows: int) -> np.ndarray:
    """Return (n, k) probabilities: of whole numbers (labels), of P(class 1), or as they are."""
    found = _numbers(value, what)
    if found.ndim == 1 and (found == found.round()).all():
        labels = _classes(found, what, rows)
        return np.asarray(np.eye(max(2, int(labels.max()) + 1), dtype=np.float32)[labels])
    if found.ndim == 1:
        found = np.stack([1 - found, found], 1)
    if found.ndim != 2 or len(found) != rows or not found.size:
        raise UsageError(f"{what} have shape {found.shape}, and there are {rows} rows")
    if found.min() < 0 or found.max() > 1 or np.abs(found.sum(1) - 1).max() > EVEN:
        raise UsageError(f"{what} are no probabilities: numbers from 0 to 1, whose sum in each row is 1")
    return found.astype(np.float32)


def _widened(found: np.ndarray, classes: int, what: str) -> np.ndarray:
    """Return probabilities of all classes: labels may leave the last ones out."""
    if found.shape[1] < classes and not np.isin(found, (0, 1)).all():
        advice = "number the classes from 0, and give a probability of each"
        raise UsageError(f"{what} have {found.shape[1]} classes, and elsewhere there are {classes}: {advice}")
    return np.pad(found, ((0, 0), (0, classes - found.shape[1])))


def _pairs(value: Any, rows: int, classes: int, file: str) -> np.ndarray | None:
    found = np.empty(0) if value is None else _numbers(value, f"the pairs of {file}")
    if not found.size:
        return None
    if found.ndim != 2 or found.shape[1] != 2 or (found != found.round()).any() or found.min() < 0 or found.max() >= rows:
        raise UsageError(f"the pairs of {file} are not (p, 2) rows of it, whole numbers below {rows}")
    if classes != 2:
        raise UsageError(f"the pairs of {file} say that one of two rows is of class 1: they need two classes, not {classes}")
    same = np.flatnonzero(found[:, 0] == found[:, 1])
    if len(same):
        raise UsageError(f"pair {same[0]} of {file} (counted from 0) is twice the row {found[same[0], 0]:g}: name two rows")
    return found.astype(np.int64)
