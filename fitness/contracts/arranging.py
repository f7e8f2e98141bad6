"""Puts the arrays of an instance into other orders, along any of a contract's dimensions, and answers back into theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fitness.contracts.contract import OFFSETS, TEXT, Array, Arrays, Contract, Order

LEAN = 1.0  # how much the rows that a trial shows lean to one side: log odds between the middle and an end
Rows = Mapping[str, np.ndarray]  # by dimension: the place in the instance of what stands at each place


class Packing(NamedTuple):
    """What a method is handed of an instance in one trial.

    Attributes:
        arrays: by name; those that `orders` names have their rows still in the instance's order.
        orders: the instance's row that stands at each place, (n,), for the arrays whose rows are to be moved.
        rows: the same by dimension.
    """

    arrays: Arrays
    orders: Mapping[str, np.ndarray]
    rows: Rows


def pack(contract: Contract, arrays: Arrays, rng: Callable[[str], np.random.Generator]) -> Packing:
    """Choose which rows one trial shows, and put all into its order; `rng` returns the generator of a label."""
    sizes = contract.sizes(arrays)
    rows = {
        order.dim: _order(order, sizes[order.dim], arrays, rng(order.label)) for order in contract.orders if order.dim in sizes
    }
    later = {array.name: rows[array.axes[0]] for array in contract.arrays if array.name in arrays and _plain(array, rows)}
    return Packing({**arrays, **reordered(contract, arrays, rows, but=tuple(later))}, later, rows)


def show(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw which (n, d) rows a method is shown at once, and their order.

    Their number differs, and so does the mixture, which leans to one side of a random projection. Trials are drawn so, and
    what a probe shows is: by number or mixture the two cannot be told apart.
    """
    along: np.ndarray = x @ rng.standard_normal(x.shape[1], np.float32)
    ranks = 2 * np.argsort(np.argsort(along, kind="stable")) / max(1, len(along) - 1) - 1
    count = int(rng.integers(-(-len(along) // 2), max(5 * len(along) // 6, 1), endpoint=True))
    keys = rng.gumbel(size=len(along)) + rng.uniform(-LEAN, LEAN) * ranks
    return rng.permutation(np.argsort(-keys)[:count])


def reordered(contract: Contract, arrays: Arrays, rows: Rows, but: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Return the arrays that change when dimensions are given these rows; places along them follow. `but` names exceptions."""
    found = dict[str, np.ndarray]()
    for array in contract.arrays:
        concerned = {*array.axes, array.values} & rows.keys()
        if concerned and array.name in arrays and array.name not in but:
            found |= _reordered(array, arrays, rows)
    return found


def _reordered(array: Array, arrays: Arrays, rows: Rows) -> dict[str, np.ndarray]:
    values = arrays[array.name]
    if array.dtype == TEXT:
        return chosen(array.name, values, arrays[array.name + OFFSETS], rows[array.axes[0]])
    for axis, dim in enumerate(array.axes):
        if dim in rows:
            values = np.take(values, rows[dim], axis)
    if array.values in rows:
        values = rows[array.values].argsort()[values].astype(values.dtype)
    return {array.name: values}


def restored(axes: Sequence[str], answer: np.ndarray, rows: Rows) -> np.ndarray:
    """Return an answer with what stands along some dimensions back in the order from which `rows` took it."""
    for axis, dim in enumerate(axes):
        if dim in rows:
            answer = np.take(answer, rows[dim].argsort(), axis)
    return answer


def encoded(name: str, strings: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the two arrays that strings are kept as: their bytes, and the offset at which each begins and the last ends."""
    parts = [text.encode() for text in strings]
    offsets = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    return {name: np.frombuffer(b"".join(parts), np.uint8), name + OFFSETS: offsets}


def chosen(name: str, letters: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return the two arrays of some of the strings that two arrays hold."""
    sizes = np.diff(offsets)[rows]
    ends = np.cumsum([0, *sizes], dtype=np.int64)
    places = np.repeat(offsets[:-1][rows] - ends[:-1], sizes) + np.arange(ends[-1])
    return {name: letters[places], name + OFFSETS: ends}


def _order(order: Order, size: int, arrays: Arrays, rng: np.random.Generator) -> np.ndarray:
    return show(arrays[order.shown], rng) if order.shown else rng.permutation(size)


def _plain(array: Array, rows: Rows) -> bool:
    """Tell whether only whole rows of an array are moved, which can be done while it is copied."""
    moved = [dim for dim in array.axes if dim in rows]
    return array.dtype != TEXT and len(moved) == 1 and moved[0] == array.axes[0] and array.values not in rows
