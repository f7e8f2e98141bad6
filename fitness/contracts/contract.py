"""Defines what a contract is: what a method is handed, what it answers, and what holds for it, as data.

The prompt's text, the problem behind the walls, the checks of answers and the probes are all made of it. It is plain data and
arithmetic, and imports neither the vault nor the sandbox.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fitness.contracts.symmetries import Symmetry, repeats
from fitness.nouns import Measure, Score

if TYPE_CHECKING:
    import numpy as np

Arrays = Mapping[str, "np.ndarray"]
OFFSETS = ".offsets"  # behind the name of an array of strings: where each begins in its bytes
TEXT = "text"  # the type of an array of strings: a method is handed a list of them
FLOATS, WHOLE = ("float32", "float64"), ("int64", "int32", "uint8")
DTYPES = (*FLOATS, *WHOLE, "bool", TEXT)
PROBABILITIES = "probabilities"  # of Array.values: the last dimension is a distribution
REMEMBERED = 512  # digits and bytes that a method may write down, where it would have to keep what was learnt elsewhere
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
        values: "probabilities", or for whole numbers the dimension (or the number) that they are below: places along it. A
            dimension of no array is one that `rename` names: its members are those that the numbers reach.
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

    def check(self) -> None:
        """Raise ValueError for a declaration that no array can keep to."""
        if self.dtype not in DTYPES:
            raise ValueError(f"array {self.name!r} is declared as {self.dtype!r}: choose among {', '.join(DTYPES)}")
        if not all(dim.isidentifier() or dim.isdigit() for dim in self.axes):
            raise ValueError(f"array {self.name!r} has dimensions {self.dims!r}: names or numbers, separated by spaces")
        if self.dtype == TEXT and len(self.axes) != 1:
            raise ValueError(f"array {self.name!r} is declared as text, which has one dimension: the strings")
        if self.values == PROBABILITIES:
            if self.dtype not in FLOATS or not self.axes:
                raise ValueError(f"array {self.name!r} has values={PROBABILITIES!r}, which are floats along a last dimension")
        elif self.values:
            self._check_places()

    def _check_places(self) -> None:
        where = f"array {self.name!r} has values={self.values!r}"
        if not (self.values.isidentifier() or (self.values.isdigit() and int(self.values))):
            raise ValueError(f'{where}: write "{PROBABILITIES}", the name of a dimension, or a number above 0')
        if self.dtype not in WHOLE:
            raise ValueError(f"{where}, places along it, and is declared as {self.dtype}: places are {', '.join(WHOLE)}")

    def shape(self, arrays: Arrays) -> tuple[int, ...]:
        """Return its shape in an instance, that of its strings for text; () where the instance lacks it."""
        if self.name not in arrays:
            return ()
        return (len(arrays[self.name + OFFSETS]) - 1,) if self.dtype == TEXT else arrays[self.name].shape


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

    def check(self) -> None:
        """Raise ValueError for a range that holds no number."""
        low, high = (-math.inf if self.low is None else self.low), (math.inf if self.high is None else self.high)
        if not low < high:
            raise ValueError(f"the answer is declared in [{self.low}, {self.high}]: the lowest number comes first")

    @property
    def limits(self) -> str:
        """The range of its numbers, as it is written: [0, 1]."""
        low, high = ("(-inf" if self.low is None else f"[{self.low:g}"), ("inf)" if self.high is None else f"{self.high:g}]")
        return f"{low}, {high}"

    def fault(self, predictions: np.ndarray) -> str:
        """Return why predictions of the right shape are no answer, as a sentence; nothing when they are one."""
        import numpy as np  # here: every command looks at a task, and few judge

        within = np.isfinite(predictions)
        within &= predictions >= (-np.inf if self.low is None else self.low)
        within &= predictions <= (np.inf if self.high is None else self.high)
        return "" if within.all() else f"the predictions are not all finite numbers in {self.limits}"


@dataclass(frozen=True)
class Words:
    """What a task's numbers are called where people and models read them.

    Attributes:
        value: what is scored; `floor` and `ceiling`: what a gap recovered of 0 and of 1 is as good as.
        scored: the last paragraph of the contract's text; made of the others when it is "".
        axis: a measure, and what is said of the axis of the grid that it is.
        compared: what others reached on a question like this one, told beside the final table.
        role: who a model is told to be; `rules`: what it is told of honest methods, an entry each; `slow`: what takes too long.
    """

    value: str = "value"
    floor: str = "the floor"
    ceiling: str = "the ceiling"
    scored: str = ""
    axis: tuple[str, str] = ("", "")
    compared: str = ""
    role: str = "You are a researcher in AI alignment. You improve a method for the task below: a small Python file."
    rules: tuple[str, ...] = (
        "What answers are scored against is nowhere in reach. What a method knows it must learn from the problem in the run "
        "itself: no constants that were fitted elsewhere, no answers written into the file. The order of rows and the seed "
        "change from run to run.",
    )
    slow: str = "many times as long as the methods that you are shown"


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

    def errors(self, answer: np.ndarray, private: Arrays) -> Mapping[str, float]:
        """Return what kind of errors an answer makes, as the contract names them."""

    def right(self, answer: np.ndarray, private: Arrays) -> np.ndarray | None:
        """Return which rows of an answer are right, (rows,) bool; None where the contract has no such rows."""


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
        tuned: arrays of features, each with that of the tokens that are fine-tuned on; `answer_tokens`: those of the classes.
        behaviour: what is measured of every trial's answer, beside the method's size.
        errors: what is told of an answer's errors: shares of rows that are answered rightly, by name.
        measures, other_measures: axes of the grid for a task that names none; edges that any method lies between.
        words: what the numbers are called.
        shares: whether values are shares, in [0, 1], such as accuracies: prompts then show them on the Ladder as they are, and
            else the gap recovered.
        stub: the file beside this one that holds a method to begin with; made of the contract when it is "".
    """

    arrays: tuple[Array, ...]
    answer: Answer
    private: tuple[Array, ...] = ()
    symmetries: tuple[Symmetry, ...] = (repeats(),)
    probes: tuple[str, ...] = ("determinism", "constant", "canary")
    orders: tuple[Order, ...] = ()
    told: tuple[str, ...] = ()
    student: str = ""
    tuned: tuple[tuple[str, str], ...] = ()
    answer_tokens: str = ""
    behaviour: tuple[str, ...] = ("evenness", "above_mean")
    errors: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = (Measure("evenness", 0.0, 1.0, 12), Measure("size", 7.0, 10.0, 6))
    other_measures: tuple[Measure, ...] = (Measure("above_mean", 0.0, 1.0, 10),)
    words: Words = Words()
    shares: bool = False
    stub: str = ""

    @property
    def has_rows(self) -> bool:
        """Whether an answer is made of rows that are right or wrong each, as what is told of errors supposes."""
        return bool(self.errors)

    def sizes(self, arrays: Arrays) -> dict[str, int]:
        """Return the size of each named dimension of an instance's arrays. Raises ValueError where two arrays disagree."""
        found = dict[str, int]()
        for declared in self.arrays:
            for dim, size in zip(declared.axes, declared.shape(arrays)):
                if found.setdefault(dim, size) != size:
                    raise ValueError(f"array {declared.name} has {size} along {dim}, where {found[dim]} were expected")
        return {dim: size for dim, size in found.items() if not dim.isdigit()}

    def members(self, dim: str, arrays: Arrays) -> int:
        """Return how many members a dimension has in an instance: its size, or what the places along it reach; 0 for none."""
        places = [arrays[array.name] for array in self.arrays if array.values == dim and array.name in arrays]
        return self.sizes(arrays).get(dim) or max((int(array.max()) + 1 for array in places if array.size), default=0)

    def shape(self, arrays: Arrays) -> tuple[int, ...]:
        """Return the shape of the answer for some arrays."""
        sizes = self.sizes(arrays)
        return tuple(int(dim) if dim.isdigit() else sizes[dim] for dim in self.answer.axes)

    def classes(self, arrays: Arrays) -> int:
        """Return the number of classes of the student that a method is handed; 0 for none."""
        return int(self.student) if self.student.isdigit() else self.sizes(arrays)[self.student] if self.student else 0

    def with_dim(self, dim: str) -> tuple[Array, ...]:
        """Return the public arrays whose first dimension it is."""
        return tuple(declared for declared in self.arrays if declared.axes[:1] == (dim,))


@dataclass(frozen=True, eq=False)
class Problem:
    """What a method is handed in one trial, as arrays; the runner turns it into the `problem` of the contract.

    Attributes:
        contract: the task's.
        arrays: by name; an array of strings is its bytes, and beside it the offset at which each string begins.
        seed: the trial's seed.
    """

    contract: Contract
    arrays: Arrays
    seed: int

    def __getitem__(self, name: str) -> np.ndarray:
        """Return an array."""
        return self.arrays[name]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its answer."""
        return self.contract.shape(self.arrays)

    def changed(self, arrays: Arrays | None = None, seed: int | None = None) -> Problem:
        """Return the problem with some of its arrays, or its seed, in place of those it has."""
        return replace(self, arrays={**self.arrays, **(arrays or {})}, seed=self.seed if seed is None else seed)


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
