"""Checks that what a task draws is what its contract declares, before it is stored (builder process only)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fitness.contracts.arranging import encoded
from fitness.contracts.contract import PROBABILITIES, TEXT, Array, Contract
from fitness.nouns import TaskFault

Stored = dict[str, np.ndarray]
BLOCK = 1 << 20  # numbers that are looked at at a time
MEMBERS = 1 << 20  # that a dimension of no array may have: they are numbered from 0
EVEN = 1e-3  # by how much the sum of a distribution may differ from 1


def flat(contract: Contract, public: Mapping[str, Any], private: Mapping[str, Any]) -> tuple[Stored, Stored]:
    """Return the public and the private arrays of an instance as they are stored.

    Raises TaskFault for the first that is not as the contract declares; of private arrays it may declare some, or none.
    """
    for kind, drawn in (("public", public), ("private", private)):
        if not isinstance(drawn, Mapping):
            raise TaskFault(f"a Draw takes its {kind} arrays by name, in a dictionary, and got {type(drawn).__name__}")
    undeclared = [name for name in public if name not in {array.name for array in contract.arrays}]
    if undeclared:
        raise TaskFault(f"the public array {undeclared[0]} is drawn and not declared: add array({undeclared[0]!r}, ...)")
    sizes = dict[str, tuple[int, str]]()
    found, kept = _checked("public", contract.arrays, public, sizes), _checked("private", contract.private, private, sizes)
    for name, value in private.items():
        if name not in kept:
            kept[name] = _array(value, f"the private array {name}")
        if kept[name].dtype.kind not in "fiubSU":
            raise TaskFault(f"the private array {name} is of type {kept[name].dtype}: only numbers and strings can be stored")
    _check_answer(contract, sizes)
    return found, kept


def check_anchors(floor: object, ceiling: object) -> tuple[float, float]:
    """Return the two anchors as numbers. Raises TaskFault."""
    return _anchor("floor", floor), _anchor("ceiling", ceiling)


def _anchor(name: str, value: object) -> float:
    single = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if not isinstance(single, (int, float, np.floating, np.integer)) or not math.isfinite(single):
        raise TaskFault(f"the {name} of an instance is {value!r:.40}, and must be a finite number")
    return float(single)


def _checked(kind: str, declared: Sequence[Array], drawn: Mapping[str, Any], sizes: dict[str, tuple[int, str]]) -> Stored:
    found = Stored()
    for array in declared:
        where = f"the {kind} array {array.name}"
        if drawn.get(array.name) is None:
            if not array.optional:
                raise TaskFault(f"{where} is missing of what is drawn")
            continue
        arrays = _typed(array, drawn[array.name], where)
        _check_shape(array, arrays, sizes, where)
        found |= arrays
    for array in declared:
        if array.name in found and array.dtype != TEXT:
            _check_values(array, found[array.name], sizes, f"the {kind} array {array.name}")
    return found


def _typed(array: Array, value: Any, where: str) -> dict[str, np.ndarray]:
    if array.dtype == TEXT:
        texts: list[Any] = list(value) if np.iterable(value) and not isinstance(value, str) else [None]
        if not all(isinstance(text, str) for text in texts):
            raise TaskFault(f"{where} is declared as text: it is a list of strings")
        try:
            return encoded(array.name, texts)
        except UnicodeEncodeError as error:
            raise TaskFault(f"{where} holds a string that is no text: {error.reason}") from error
    found = _array(value, where)
    if found.dtype != array.dtype:
        raise TaskFault(f"{where} is {found.dtype}, and declared as {array.dtype}: change one of them")
    return {array.name: found}


def _array(value: Any, where: str) -> np.ndarray:
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise TaskFault(f"{where} cannot be made an array: {' '.join(str(error).split())[:150]}") from error


def _check_shape(array: Array, arrays: Mapping[str, np.ndarray], sizes: dict[str, tuple[int, str]], where: str) -> None:
    shape = array.shape(arrays)
    if len(shape) != len(array.axes):
        raise TaskFault(f"{where} has shape {shape}, and {len(array.axes)} dimensions are declared")
    for dim, size in zip(array.axes, shape):
        wanted, why = (int(dim), "declared") if dim.isdigit() else sizes.setdefault(dim, (size, array.name))
        if size != wanted:
            held = why if dim.isdigit() else f"what {why} has along {dim}"
            raise TaskFault(f"{where} has shape {shape}: {size} is not {wanted}, {held}")
        if not size:
            raise TaskFault(f"{where} has shape {shape}: it is empty")


def _check_values(array: Array, values: np.ndarray, sizes: Mapping[str, tuple[int, str]], where: str) -> None:
    flat = values.reshape(-1)
    blocks = [flat[start : start + BLOCK] for start in range(0, len(flat), BLOCK)]
    if values.dtype.kind == "f" and not all(np.isfinite(block).all() for block in blocks):
        raise TaskFault(f"{where} holds numbers that are not finite")
    if array.values == PROBABILITIES:
        if min(block.min() for block in blocks) < 0 or np.abs(values.sum(-1) - 1).max() > EVEN:
            raise TaskFault(f"{where} is declared as probabilities: rows of at least 0 that sum to 1")
    elif array.values:
        most = int(array.values) if array.values.isdigit() else sizes.get(array.values, (MEMBERS, ""))[0]
        if min(block.min() for block in blocks) < 0 or max(block.max() for block in blocks) >= most:
            raise TaskFault(f"{where} is declared as whole numbers below {most}, and holds others")
        if array.values in sizes and most - 1 > np.iinfo(values.dtype).max:
            raise TaskFault(f"{where} is declared as {array.dtype}, which cannot number the {most} places along {array.values}")


def _check_answer(contract: Contract, sizes: Mapping[str, tuple[int, str]]) -> None:
    known = {dim for array in contract.arrays for dim in array.axes}
    for dim in contract.answer.axes:
        if not dim.isdigit() and dim not in sizes:
            raise TaskFault(f"the answer's dimension {dim} is one of no public array; there are {', '.join(sorted(known))}")
