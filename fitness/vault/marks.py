"""Packs which rows of an instance a method was shown, and which of them it has right, into bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Marks(NamedTuple):
    """Rows of one instance as bits, bit i for row i in the instance's order: those a method was shown, those it has right."""

    shown: int
    right: int


def marked(places: np.ndarray, right: np.ndarray) -> Marks:
    """Return the marks of an answer, given the row of the instance that each of its rows is, and whether it is right."""
    return Marks(_bits(places), _bits(places[right]))


def _bits(places: np.ndarray) -> int:
    """Return the number whose bits at these places are set."""
    bits = np.zeros(int(places.max(initial=-1)) + 1, bool)
    bits[places] = True
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def to_json(marks: Marks | None) -> list[str] | None:
    """Write marks, those of an answer without rows as None."""
    return None if marks is None else [f"{bits:x}" for bits in marks]


def from_json(found: Sequence[str] | None) -> Marks | None:
    """Read what `to_json` wrote."""
    return None if found is None else Marks(*(int(bits, 16) for bits in found))
