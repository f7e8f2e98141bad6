"""Declares what holds for every honest method of a task: a probe is derived of each declaration (fitness/probes/derived.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["permute", "apart", "rename", "turn", "exchange", "needs", "repeats"]


@dataclass(frozen=True)
class Symmetry:
    """One thing that no honest method cares about, or cannot do without.

    Attributes:
        kind: what is changed, and what must then hold.
        of: the dimension or the array that is changed; "" for `repeats`.
        name: the probe's name, as it stands in a method's flags.
        beside: for `apart`: the array whose rows are shown beside those of the dimension, as company; "" for none.
        mirrored: for `needs`: the dimension that is exchanged in every other run: no luck of a shuffle counts; "" for none.
        words: what is changed, where findings are told; "" for `of`.
    """

    kind: Kind
    of: str
    name: str
    beside: str = ""
    mirrored: str = ""
    words: str = ""

    @property
    def called(self) -> str:
        """What is changed, in words."""
        return self.words or self.of


def permute(dim: str, name: str = "", words: str = "") -> Symmetry:
    """The order along a dimension means nothing: in another one, and the answer back in this, a method recovers as much."""
    return Symmetry("permute", dim, name or f"permute_{dim}", words=words)


def rename(dim: str, name: str = "", words: str = "") -> Symmetry:
    """The numbers that a dimension's members go by mean nothing: given others, a method recovers as much."""
    return Symmetry("rename", dim, name or f"rename_{dim}", words=words)


def exchange(dim: str, name: str = "", words: str = "") -> Symmetry:
    """No member of a dimension is special: in reverse order, and the answer back in this, a method recovers as much."""
    return Symmetry("exchange", dim, name or f"exchange_{dim}", words=words)


def turn(array: str, name: str = "", words: str = "") -> Symmetry:
    """The axes of an array's last dimension mean nothing: with them turned at random, a method recovers as much."""
    return Symmetry("turn", array, name or f"turn_{array}", words=words)


def apart(dim: str, name: str = "", beside: str = "", words: str = "") -> Symmetry:
    """Each row of the answer depends on its own row of the dimension: not on order, number, company or doubling."""
    return Symmetry("apart", dim, name or f"apart_{dim}", beside, words=words)


def needs(array: str, name: str = "", mirrored: str = "", words: str = "") -> Symmetry:
    """A method lives on an array: with its rows shuffled it recovers at most half as much."""
    return Symmetry("needs", array, name or f"needs_{array}", mirrored=mirrored, words=words)


def repeats(name: str = "determinism") -> Symmetry:
    """The same problem with the same seed gets the same answer."""
    return Symmetry("repeats", "", name)
