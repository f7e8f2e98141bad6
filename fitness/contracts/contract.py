"""Defines what a contract is: what a method is handed, what it answers, and what holds for it, as data.

The prompt's text, the problem behind the walls, the checks of answers and the probes are all made of it. It is plain data and
arithmetic, and imports neither the vault nor the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fitness.contracts.symmetries import Symmetry, repeats
from fitness.nouns import Measure, Score

if TYPE_CHECKING:
    import numpy as np

Arrays = Mapping[str, "np.ndarray"]
TEXT = "text"  # the type of an array of strings: a method is handed a list of them
DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool", TEXT)
PROBABILITIES = "probabilities"  # of Array.values: the last dimension is a distribution
ENTRY, PARAMETER = "method", "problem"  # the function that a method file defines, and what it takes


@dataclass(frozen=True)
class Array:
    """One array of an instance.

    Attributes:
        name: as a method reads it: problem.NAME.
        dims: its dimensions, names or numbers, separated by spaces; "" for a single number. Equal names are equal sizes.
        dtype: one of DTYPES.
        meaning: one line for whoever writes a method.
        optional: whether an instance may lack it; a method is handed None then.
        values: "probabilities", or for whole numbers the dimension (or the number) that they are below: places along it.
    """

    name: str
    dims: str
    dtype: str = "float32"
    meaning: str = ""
    optional: bool = False
    values: str = ""

    @property
    def axes(self) -> tuple[str, ...]:
        """Its dimensions, in order."""
        return tuple(self.dims.split())


@dataclass(frozen=True)
class Answer:
    """What a method returns: one array of float32, finite.

    Attributes:
        dims: its dimensions: names of the public arrays' dimensions, or numbers.
        low, high: the range of its numbers; None where it has no end.
        meaning: what it is, in a word or two.
        choice: whether the last dimension is a choice: scored by its largest number, the lowest place when they tie.
        single: where the last dimension is 2: what an answer without it means, for the second place; the first is 1 less that.
            "" where such an answer is none.
    """

    dims: str
    low: float | None = None
    high: float | None = None
    meaning: str = "numbers"
    choice: bool = False
    single: str = ""

    @property
    def axes(self) -> tuple[str, ...]:
        """Its dimensions, in order."""
        return tuple(self.dims.split())


@dataclass(frozen=True)
class Words:
    """What a task's numbers are called where people and models read them.

    Attributes:
        value: what is scored; `floor` and `ceiling`: what a gap recovered of 0 and of 1 is as good as.
        scored: the last paragraph of the contract's text; made of the others when it is "".
    """

    value: str = "value"
    floor: str = "the floor"
    ceiling: str = "the ceiling"
    scored: str = ""


class Order(NamedTuple):
    """How each trial deals with a dimension: it is put into a new order.

    Attributes:
        dim: the dimension.
        label: of the generator that draws the order.
        shown: the array along whose random projection some of the rows are chosen, and only these shown; "" to show all.
    """

    dim: str
    label: str
    shown: str = ""


class Scoring(Protocol):
    """What an answer is worth, and what it is like: trusted code, which sees the private arrays."""

    def score(self, answer: np.ndarray, private: Arrays, floor: float, ceiling: float) -> Score:
        """Score an answer of the contract's shape between the anchors."""

    def behaviour(self, answer: np.ndarray, public: Callable[[], Arrays], private: Arrays) -> Mapping[str, float]:
        """Return the contract's measures of an answer; `public` returns the arrays that it was given for."""


@dataclass(frozen=True)
class Contract:
    """The contract of a task's methods.

    Attributes:
        arrays: what a method is handed; `private`: arrays of the trusted side whose dimensions are declared.
        answer: what it returns.
        symmetries: what holds for every honest method; `probes`: the names of the probes that apply, in their order: those of
            symmetries, of the table (fitness/probes/probes.py), and one's own as `module:NAME` or `file.py:NAME`.
        orders: the dimensions that each trial puts into a new order.
        told: dimensions whose size a method reads as problem.NAME; `student`: the dimension (or number) of the classes of
            problem.student, "" where there is none.
        behaviour: what is measured of every trial's answer, beside the method's size.
        measures, other_measures: axes of the grid for a task that names none; edges that any method lies between.
        remembered: digits and bytes that a method may write down in collections, long numbers and texts, where it would
            have to keep what was learnt elsewhere.
        words: what the numbers are called.
    """

    arrays: tuple[Array, ...]
    answer: Answer
    private: tuple[Array, ...] = ()
    symmetries: tuple[Symmetry, ...] = (repeats(),)
    probes: tuple[str, ...] = ("determinism", "constant", "canary")
    orders: tuple[Order, ...] = ()
    told: tuple[str, ...] = ()
    student: str = ""
    behaviour: tuple[str, ...] = ("evenness", "above_mean")
    measures: tuple[Measure, ...] = (Measure("evenness", 0.0, 1.0, 12), Measure("size", 7.0, 10.0, 6))
    other_measures: tuple[Measure, ...] = (Measure("above_mean", 0.0, 1.0, 10),)
    remembered: int = 256
    words: Words = Words()


def array(
    name: str, dims: str, dtype: str = "float32", meaning: str = "", *, optional: bool = False, values: str = ""
) -> Array:
    """Declare a public array of a task: array("x", "n d"); dtype "text" is a list of strings."""
    return Array(name, dims, dtype, meaning, optional, values)


def answer(
    dims: str, low: float | None = None, high: float | None = None, meaning: str = "numbers", *, choice: bool = False
) -> Answer:
    """Declare what methods return: answer("n 10", 0, 1, choice=True); without a range any finite numbers are an answer."""
    return Answer(dims, low, high, meaning, choice)
