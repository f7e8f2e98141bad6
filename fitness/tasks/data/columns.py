"""Brings the features of both files of a domain together: the same columns, in single precision."""

from __future__ import annotations

import numpy as np

from fitness.registry import UsageError
from fitness.tasks.data.reading import FEATURES, Arrays, DataArrays

FAR = 1000.0  # standard deviations from 0: single precision leaves a column that lies further out too few digits
SMALL, WIDE = 1e-6, 1e15  # standard deviations between which single precision holds a column, its squares and their sum
FLAT = 1e-12  # of a column's largest number: what varies less is rounding
MOST = 1e30  # larger numbers are taken as this: an instance cuts at five standard deviations anyway


def aligned(train: DataArrays, test: DataArrays, train_name: str, test_name: str) -> tuple[Arrays, Arrays]:
    """Return the arrays of both, the features of `test` in the order of `train` where both name them. Raises UsageError."""
    if not train.names or not test.names or train.names == test.names:
        return train.arrays, test.arrays
    for here, there, name, other in ((train, test, train_name, test_name), (test, train, test_name, train_name)):
        known = set(there.names)
        missing = next((column for column in here.names if column not in known), None)
        if missing is not None:
            raise UsageError(f"{name} has a column {missing} and {other} has none of that name: name the same features in both")
    places = {name: place for place, name in enumerate(test.names)}
    order = [places[name] for name in train.names]
    return train.arrays, {**test.arrays, FEATURES: np.ascontiguousarray(test.arrays[FEATURES][:, order])}


def narrowed(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, d) and (m, d) float64 features as float32.

    A column that single precision would round to steps, flatten or overflow is standardised by the training rows before;
    an instance standardises all of them, so no method sees the difference.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = train.mean(0), train.std(0)
        hard = ~((spread > SMALL) & (spread < WIDE) & (np.abs(mean) < FAR * spread))
        if hard.any():
            train, test = train.copy(), test.copy()
            train[:, hard], test[:, hard] = _standardised(train[:, hard], test[:, hard])
        first, second = (np.clip(x, -MOST, MOST).astype(np.float32) for x in (train, test))
    return first, second


def _standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardise by the training rows, without leaving what float64 holds; a column that is flat there is only moved."""
    peak = np.abs(train).max(0)
    peak = np.where(peak > 0, peak, 1)
    first, second = train / peak, test / peak
    start = first[0].copy()  # exact for a column of one value, as a mean is not
    first, second = first - start, second - start
    spread = first.std(0)
    scale = np.where(spread > FLAT, spread, 1)
    mean = np.where(spread > FLAT, first.mean(0), 0)
    return (first - mean) / scale, (second - mean) / scale
