"""Keeps the numbers that a method reports of a trial, and packs them into a block of one size.

Behind the walls nothing knows a label, so no note can tell one. Notes are written there and never read: no trial sees those of
another. The trusted side reads the block again, and believes nothing of it but its form.
"""

from __future__ import annotations

import math
import re
import struct

SLOTS = 32
SLOT = struct.Struct("<24sd")  # a name, padded with zeros, and a number
BLOCK = SLOTS * SLOT.size
EMPTY = bytes(BLOCK)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,23}")


class Notes:
    """What `problem.note` is: called with a name and a number."""

    def __init__(self) -> None:
        self._kept: dict[str, float] = {}

    def __call__(self, name: str, number: float) -> None:
        """Keep a number; a later one of the same name takes its place.

        What depends on data never fails a method: a number that is not finite, and a name after the 32nd, are left out.
        Raises ValueError for a name of other characters; TypeError for what is no number.
        """
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError("a note is named by a letter and at most 23 more letters, digits, _, . or -")
        try:
            value = float(number)
        except OverflowError:  # a whole number beyond all floats
            return
        if math.isfinite(value) and (name in self._kept or len(self._kept) < SLOTS):
            self._kept[name] = value

    def block(self) -> bytes:
        """Return the notes as BLOCK bytes."""
        return b"".join(SLOT.pack(name.encode(), value) for name, value in self._kept.items()).ljust(BLOCK, b"\0")


def read(block: bytes) -> dict[str, float] | None:
    """Return the notes in a block, or None where it is not one that `Notes` writes: then the method wrote it itself."""
    if block == EMPTY:
        return {}
    used = (len(block.rstrip(b"\0")) - 1) // SLOT.size + 1  # a slot in use is not all zeros: it has a name
    slots = list(SLOT.iter_unpack(block[: SLOT.size * used]))
    found = {name.rstrip(b"\0").decode("ascii", "replace"): value for name, value in slots}
    plain = all(NAME.fullmatch(name) for name in found) and all(math.isfinite(value) for value in found.values())
    return found if plain and len(found) == len(slots) else None
