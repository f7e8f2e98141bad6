"""Finds labels in what methods are handed: the leak alarm. Whatever one number a row tells, some method will find.

Each guess is made without work: from one column, the norm, or the place of a row, by the labels of the rows that stand nearest
in it. What a guess recovers is compared with what honest methods do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from fitness.checks.sample import FEW, Sample, Target

EXACT = 0.98  # agreement, from which on a column is the label rather than a good feature
SURE = 0.9  # of the gap: nothing that is no work may recover as much
COLUMNS, ROWS = 4096, 4000  # of an array that are looked at
MOST = 1e10  # steps that the nearest neighbours may take
SHARED = 0.01  # share of an array's rows that may stand in another one too
WIDE = 8  # numbers in a row of whole numbers, from which on equal rows are no chance
NEAR = 2  # rows on either side
PENALTY = 1.0  # of the ridge, for standardised columns, a row


@dataclass(frozen=True)
class Leak:
    """What tells the labels.

    Attributes:
        kind: "label column", "id", "norm", "row order", "duplicated rows", "ridge" or "nearest neighbour".
        sentence: where, how much, and what to do.
    """

    kind: str
    sentence: str


def leaks(sample: Sample, best: float = SURE) -> list[Leak]:
    """Return what tells the labels of one instance, where it recovers as much as `best`: the best baseline, or nearly all."""
    found = list(_duplicates(sample))
    for target in sample.targets():
        found += _order(sample, target, best)
        for name, _, table in sample.tables():
            if len(table) == len(target.values):
                found += _columns(name, table, target, best) or _norm(name, table, target, best)
    return found


def remembered(samples: Sequence[Sample], best: float) -> list[Leak]:
    """Return what is learnt of one instance's labels and answers another, by name; `samples` are of one domain."""
    worth: dict[str, list[float]] = {}
    for first, second in combinations(samples, 2):
        for known, asked in ((first, second), (second, first)):
            for kind, told in _transferred(known, asked):
                worth.setdefault(kind, []).append(told)
    sentence = (
        "fitted on the labels of other instances, recovers {:.2f} of the gap here, more than {:.2f}, the best baseline and a "
        "little: a method could carry numbers over; draw what columns mean anew for each instance, as by a random rotation"
    )
    means = {kind: float(np.mean(values)) for kind, values in worth.items()}
    return [Leak(kind, f"{kind}, " + sentence.format(mean, best)) for kind, mean in means.items() if mean > best]


def _columns(name: str, table: np.ndarray, target: Target, best: float) -> list[Leak]:
    """Return the column that tells most, if it tells too much."""
    rows = np.random.default_rng(0).permutation(len(table))[:ROWS]
    some, few = table[np.sort(rows)], target.some(np.sort(rows))
    plain = [(few.agreement(guess(some[:, place], few)), place) for place in range(min(table.shape[1], COLUMNS))]
    share, place = max(plain, default=(0.0, 0))
    most = target.told(guess(table[:, place], target))
    if share < EXACT or most <= best:
        return []
    column = table[:, place]
    where = f"column {place} of {name}" if table.shape[1] > 1 else f"the array {name}"
    if len(np.unique(column)) <= FEW:
        return [Leak("label column", f"{where} is a label column: by itself it tells {_of(target)} ({most:.2f} of the gap)")]
    return [Leak("id", f"{where} is an id that sorts by label: its order tells {_of(target)} ({most:.2f} of the gap)")]


def _norm(name: str, table: np.ndarray, target: Target, best: float) -> list[Leak]:
    if table.shape[1] < 2:
        return []
    told = target.told(guess(np.linalg.norm(table.astype(np.float64), axis=1), target))
    sentence = f"the norm of the rows of {name} tells {_of(target)} ({told:.2f} of the gap): bring all rows to the same norm"
    return [Leak("norm", sentence)] if told > best else []


def _order(sample: Sample, target: Target, best: float) -> list[Leak]:
    """Rows of a dimension that each trial puts into a new order stand in none."""
    n, contract = len(target.values), sample.task.contract
    rows = {dim for _, dim, table in sample.tables() if len(table) == n}
    rows = rows & set(contract.answer.axes[:1]) or rows
    if rows and rows <= {order.dim for order in contract.orders}:
        return []
    told = target.told(guess(np.arange(n), target))
    sentence = f"the row order tells {_of(target)} ({told:.2f} of the gap), as when rows are sorted by label: permute them"
    return [Leak("row order", sentence)] if told > best else []


def _of(target: Target) -> str:
    return f"the private {target.name}"


def guess(values: np.ndarray, target: Target) -> np.ndarray:
    """Guess each row's label or number from one value a row: from rows of the same value, or else from the nearest.

    No row has a say about itself.
    """
    kinds, places = np.unique(values, return_inverse=True)
    if len(kinds) <= FEW:
        return _from_equal(places, len(kinds), target)
    order = np.argsort(values, kind="stable")
    codes = target.codes[order]
    padded = np.pad(codes.astype(np.float64), NEAR, mode="reflect")
    near = np.stack([padded[NEAR + step : NEAR + step + len(codes)] for step in (-2, -1, 1, 2)])
    found = np.empty(len(codes), np.int64 if target.labels else np.float64)
    found[order] = _commonest(near) if target.labels else near.mean(0)
    return found


def _from_equal(places: np.ndarray, kinds: int, target: Target) -> np.ndarray:
    if not target.labels:
        totals, sizes = np.bincount(places, target.codes, kinds), np.bincount(places, minlength=kinds)
        return np.asarray((totals[places] - target.codes) / np.maximum(sizes[places] - 1, 1))
    counts = np.zeros((kinds, int(target.codes.max()) + 1), np.int64)
    np.add.at(counts, (places, target.codes), 1)
    others = counts[places]
    others[np.arange(len(places)), target.codes] -= 1
    found: np.ndarray = others.argmax(1)
    return found


def _commonest(near: np.ndarray) -> np.ndarray:
    """Return the commonest of the labels in each column; the nearest of those that are as common."""
    ranked = near[[1, 2, 0, 3]]
    votes = (ranked[:, None] == ranked[None]).sum(1)
    found: np.ndarray = np.take_along_axis(ranked, votes.argmax(0)[None], 0)[0].astype(np.int64)
    return found


def _duplicates(sample: Sample) -> Iterator[Leak]:
    """Rows that two arrays share are test rows among the training rows, or the other way round."""
    tables = [(name, table) for name, _, table in sample.tables() if table.dtype.kind == "f" or table.shape[1] >= WIDE]
    for (name, table), (other, against) in combinations(tables, 2):
        if table.shape[1] == against.shape[1] > 1 and table.dtype == against.dtype:
            shared = float(np.isin(_whole(against), _whole(table)).mean())
            if shared > SHARED:
                yield Leak("duplicated rows", f"duplicated rows: {shared:.0%} of the rows of {other} stand in {name} too")


def _whole(table: np.ndarray) -> np.ndarray:
    rows = np.ascontiguousarray(table)
    found: np.ndarray = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1])))[:, 0]
    return found


def _transferred(known: Sample, asked: Sample) -> Iterator[tuple[str, float]]:
    """Yield what ridge regression and the nearest neighbour recover of one instance when they were fitted on another."""
    theirs = {target.name: target for target in known.targets()}
    for target in asked.targets():
        other = theirs.get(target.name)
        x, y = _features(known, len(other.values) if other else 0), _features(asked, len(target.values))
        if other is None or x is None or y is None or x.shape[1] != y.shape[1] or other.labels != target.labels:
            continue
        mean, scale = x.mean(0), x.std(0) + 1e-9
        x, y = ((x - mean) / scale)[:ROWS], (y - mean) / scale
        yield "ridge", target.told(_ridge(x, other.codes[:ROWS], y, target.labels))
        if len(y) * x.size < MOST:
            yield "nearest neighbour", target.told(_nearest(x, other.codes[:ROWS], y))


def _features(sample: Sample, n: int) -> np.ndarray | None:
    """Return (n, d) numbers: all that methods are handed of n rows."""
    tables = [table for _, _, table in sample.tables() if len(table) == n]
    found = np.concatenate(tables, 1).astype(np.float64) if tables else None
    return None if found is None or found.shape[1] > COLUMNS else found


def _ridge(x: np.ndarray, codes: np.ndarray, y: np.ndarray, labels: bool) -> np.ndarray:
    wanted = np.eye(int(codes.max()) + 1)[codes] if labels else codes[:, None]
    mean = wanted.mean(0)
    weights = np.linalg.solve(x.T @ x + PENALTY * len(x) * np.eye(x.shape[1]), x.T @ (wanted - mean))
    found: np.ndarray = y @ weights + mean
    return np.asarray(found.argmax(1) if labels else found[:, 0])


def _nearest(x: np.ndarray, codes: np.ndarray, y: np.ndarray) -> np.ndarray:
    from sklearn.neighbors import NearestNeighbors

    places = NearestNeighbors(n_neighbors=1).fit(x).kneighbors(y, return_distance=False)[:, 0]
    found: np.ndarray = codes[places]
    return found
