"""Reads the results of AAR's runs, cache_results/IDEA/HYPERPARAMETERS/seed_N.json, and works out their PGR again.

They are used instead of hours of compute: a weak teacher's labels, and what vanilla and others reached with the ceiling.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from fitness.registry import UsageError
from fitness.tasks.lm.rows import RESULTS

TEACHER, CEILING = "weak_artifacts", "train_ceiling"  # ideas that are anchors; behind a domain's name, as in chat_train_ceiling
NUMBERS = ("weak_acc", "strong_acc", "strong_gt_acc", "transfer_acc", "pgr", "training_time")
STRONG = ("strong_gt_acc", "strong_acc")  # what a ceiling's accuracy is called; the first that a file has
EVEN = 1e-3  # by how much the sum of a row's probabilities may differ from 1
ROUNDING = 5e-3  # by how much a stored PGR may differ from the one worked out again


@dataclass(frozen=True, eq=False)
class SeedResult:
    """One file.

    Attributes:
        idea, hyperparameters, seed: what ran, by the file's place.
        numbers: those of NUMBERS that it has.
        soft_labels: None, or (n, 2) the teacher's probabilities for the rows that it labels.
        path: the file.
    """

    idea: str
    hyperparameters: str
    seed: int
    numbers: Mapping[str, float]
    soft_labels: np.ndarray | None
    path: Path


@dataclass(frozen=True)
class IdeaResult:
    """An idea over its seeds.

    Attributes:
        idea, hyperparameters, seeds: what ran.
        weak, strong, transfer: accuracies in the mean over the seeds of the teacher, of the ceiling and of the idea.
        pgr: (transfer - weak) / (strong - weak), of these means.
        seconds: of training in the mean, None where no file says.
        note: what the files say differently, as a sentence; "" for nothing.
    """

    idea: str
    hyperparameters: str
    seeds: int
    weak: float
    strong: float
    transfer: float
    pgr: float
    seconds: float | None
    note: str


def read(folder: Path) -> list[SeedResult]:
    """Return the results below a folder of data, in order. Raises UsageError for a file that is none."""
    return [read_file(path) for path in sorted((folder / RESULTS).glob("*/*/seed_*.json"))]


def read_file(path: Path) -> SeedResult:
    """Read one result. Raises UsageError, naming the file, when it is half-written or misshapen."""
    number = path.stem.removeprefix("seed_")
    if not number.isdigit():
        raise UsageError(f"{path} is named after no seed: results are called seed_42.json and so on")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is half-written or no JSON ({error}): delete it, or let its run write it again") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds {type(found).__name__}, and a result is an object such as {{...}}")
    numbers = {name: _number(found[name], name, path) for name in NUMBERS if found.get(name) is not None}
    if not numbers and found.get("soft_labels") is None:
        raise UsageError(f"{path} is no result: it has none of {', '.join(NUMBERS)}, soft_labels")
    soft = None if found.get("soft_labels") is None else _soft(found["soft_labels"], path)
    return SeedResult(path.parts[-3], path.parts[-2], int(number), numbers, soft, path)


def _number(value: Any, name: str, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{name} of {path} is {str(value)[:40]!r}: it is a finite number")
    if name.endswith("_acc") and not 0 <= value <= 1:
        raise UsageError(f"{name} of {path} is {value:g}: an accuracy lies from 0 to 1")
    return float(value)


def _soft(value: Any, path: Path) -> np.ndarray:
    """Return (n, 2) probabilities, of these or of P(class 1)."""
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.ndim == 1 and found.size:
        found = np.stack([1 - found, found], 1)
    sound = found.ndim == 2 and found.shape[1] == 2 and np.isfinite(found).all()
    if not sound or found.min() < 0 or found.max() > 1 or np.abs(found.sum(1) - 1).max() > EVEN:
        raise UsageError(f"soft_labels of {path} are no probabilities: a number from 0 to 1 a row, or two whose sum is 1")
    return found.astype(np.float32)


def teachers(results: Sequence[SeedResult], domain: str, rows: int) -> list[SeedResult]:
    """Return what holds a teacher's labels of a domain, one a seed. Raises UsageError when they are of other rows."""
    ideas = (TEACHER, f"{domain}_{TEACHER}")
    found = {one.seed: one for one in results if one.soft_labels is not None and one.idea in ideas}
    for one in found.values():
        if one.soft_labels is not None and len(one.soft_labels) != rows:
            held = f"{len(one.soft_labels):,} soft labels, and train_unlabel of {domain} has {rows:,} rows"
            raise UsageError(f"{one.path} holds {held}: they are not of the same data")
    return [found[seed] for seed in sorted(found)]


def ceiling(results: Sequence[SeedResult], domain: str) -> float | None:
    """Return the accuracy of a domain's fine-tuned ceiling in the mean over the seeds, None where there is none."""
    values = list(_values([one for one in results if one.idea in (CEILING, f"{domain}_{CEILING}")], STRONG))
    return fmean(values) if values else None


def compared(results: Sequence[SeedResult]) -> list[IdeaResult]:
    """Return every idea that transferred, its PGR worked out again between the anchors' means over all of their seeds.

    Where no anchor of its domain was kept, its own files' weak_acc and strong_acc are taken. Raises UsageError where a ceiling
    is not above its teacher.
    """
    groups = dict[tuple[str, str], list[SeedResult]]()
    for one in results:
        if "transfer_acc" in one.numbers:
            groups.setdefault((one.idea, one.hyperparameters), []).append(one)
    return [_compared(group, results) for group in groups.values()]


def _compared(group: Sequence[SeedResult], results: Sequence[SeedResult]) -> IdeaResult:
    first = group[0]
    weak = _anchor(group, results, TEACHER, ("weak_acc",))
    strong = _anchor(group, results, CEILING, STRONG)
    transfer = fmean(one.numbers["transfer_acc"] for one in group)
    if strong <= weak:
        said = f"the ceiling {strong:.3f} is not above the teacher {weak:.3f}"
        raise UsageError(f"{first.path.parent}: {said}, so there is no PGR: train the ceiling longer")
    pgr = (transfer - weak) / (strong - weak)
    stored = [one.numbers["pgr"] for one in group if "pgr" in one.numbers]
    differs = bool(stored) and abs(fmean(stored) - pgr) > ROUNDING
    seconds = [one.numbers["training_time"] for one in group if "training_time" in one.numbers]
    return IdeaResult(
        first.idea, first.hyperparameters, len(group), weak, strong, transfer, pgr, fmean(seconds) if seconds else None,
        f"the files say {fmean(stored):.3f} in the mean" if differs else "",
    )  # fmt: skip


def _anchor(group: Sequence[SeedResult], results: Sequence[SeedResult], anchor: str, names: Sequence[str]) -> float:
    """Return an accuracy in the mean over the seeds of an anchor of the same domain, else over the idea's own files."""
    of_anchor = {one.idea.removesuffix(anchor) for one in results if one.idea.endswith(anchor)}
    domain = max((start for start in of_anchor if group[0].idea.startswith(start)), key=len, default=None)
    kept = [one for one in results if domain is not None and one.idea == domain + anchor]
    for found in (kept, group):
        values = list(_values(found, names))
        if values:
            return fmean(values)
    wanted = " or ".join(names)
    raise UsageError(f"{group[0].path} has no {wanted}, and no idea {anchor} beside it has: PGR needs both anchors")


def _values(results: Sequence[SeedResult], names: Sequence[str]) -> Iterator[float]:
    for one in results:
        known = [one.numbers[name] for name in names if name in one.numbers]
        yield from known[:1]
