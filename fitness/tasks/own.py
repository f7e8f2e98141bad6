"""Puts a task of the user's own together, in one file: `evolve.Task`, whose functions draw its instances and score answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitness.contracts.contract import FLOATS, PROBABILITIES, Answer, Array, Contract, Order, Words
from fitness.contracts.symmetries import Symmetry, repeats
from fitness.home import default_home
from fitness.nouns import Direction, Limits, Measure
from fitness.registry import UsageError
from fitness.tasks.calling import OwnScoring, OwnSource
from fitness.tasks.directions import GENERAL
from fitness.tasks.source import Draw
from fitness.tasks.task import Task

if TYPE_CHECKING:
    import numpy as np

WORDS = Words()
ANY = Contract((), Answer(""))  # what is measured of any answer
RESERVED = ("seed", "device", "student", "note")  # what a problem has beside its arrays
SIZE = "size"
_DRAW, _SCORE = "@task.draw def draw(domain, rng)", "@task.score def score(answer, private)"
Arrays = Mapping[str, "np.ndarray"]
Drawing = Callable[[str, "np.random.Generator"], Draw]
Scorer = Callable[["np.ndarray", Arrays], Any]
Behaviour = Callable[["np.ndarray", Arrays], Mapping[str, float]]


class OwnTask:
    """A task in one file: `task = Task("certify", ...)`, `@task.draw`, `@task.score`, and `task.seeds("baselines")`.

    The file is code that the user trusts. `draw(domain, rng)` runs in the builder, a process of its own, and `rng` is keyed by
    the vault; `score(answer, private)` and `behaviour(answer, public)` run in the trusted process; none of them where methods
    run. A score is a number, or a number and its standard error.

    Args:
        name: in messages and in the vault; letters, digits, _ and -, as in the domains' names.
        search: domains that a search is scored on; `held_out`: those that a champion is judged on afterwards.
        public: the arrays that a method is handed; `answer`: what it returns.
        brief: explains the task to a researcher or a language model.
        seconds: what one run of a method may take.
        symmetries: what no honest method cares about: `permute`, `apart`, `rename`, `turn`, `exchange`, `needs`.
        probes: probes of your own, as `file.py:NAME`.
        student: the dimension (or number) of classes, for a task whose methods are handed problem.student.
        scale: the lowest and highest number that `score` may return.
        margin: by how much a ceiling must exceed its floor; an instance with less is drawn again.
        measures: axes of the grid, of what `behaviour` returns, of size, and of what is measured of any answer.
        words: what value, floor and ceiling are called.
        directions: the research directions that a search begins with.
        least_instances: dev instances of each search domain that a method needs before it can be placed.
        version: raise it whenever an instance would come out different; a changed file is another task anyway.
    """

    def __init__(
        self,
        name: str,
        *,
        search: Sequence[str],
        held_out: Sequence[str] = (),
        public: Sequence[Array],
        answer: Answer,
        brief: str = "",
        seconds: float = 60.0,
        symmetries: Sequence[Symmetry] = (),
        probes: Sequence[str] = (),
        student: str = "",
        scale: tuple[float, float] | None = None,
        margin: float = 0.0,
        measures: Sequence[Measure] = (),
        words: Words = WORDS,
        directions: Sequence[Direction] = GENERAL,
        least_instances: int = 4,
        version: str = "1",
    ) -> None:
        """Declare it. Raises ValueError for a declaration that contradicts itself."""
        _check_numbers(seconds, scale, margin, least_instances)
        if not isinstance(brief, str):
            raise ValueError(f"brief is a text, got {brief!r:.80}")
        contract = _contract(public, answer, symmetries, probes, student, measures, words)
        self.scoring = OwnScoring(name, scale, tuple(n for n in contract.behaviour if n not in ANY.behaviour))
        self._draw: Drawing | None = None
        self._task = Task(
            name=name,
            version=version,
            brief=brief,
            search_domains=_names(search),
            held_out_domains=_names(held_out),
            measures=contract.measures,
            other_measures=contract.other_measures,
            limits=Limits(seconds=seconds),
            least_instances=least_instances,
            margin=margin,
            contract=replace(contract, shares=scale == (0, 1)),
            scoring=self.scoring,
            directions=tuple(directions),
            seeds=(Path("baselines"),),
        )
        self._seeds = self._task.seeds

    @staticmethod
    def from_arrays(
        train: Arrays,
        test: Arrays,
        *,
        domain: str = "own",
        held_out: Mapping[str, tuple[Arrays, Arrays]] | None = None,
        classes: str = "natural",
        ceiling: float | None = None,
        normalise: bool = True,
    ) -> Task:
        """Return the weak-to-strong task of arrays of one's own, as `--task w2s --data DIR` makes it of files.

        Args:
            train: features (n, d), and weak: (n,) labels or (n, k) probabilities; optionally labels (n,), for the ceiling
                alone, and pairs (p, 2).
            test: features (m, d), labels (m,), and optionally teacher, the weak probabilities for them.
            domain: what they are called; `held_out`: further ones by name, train and test, which no search sees.
            classes: "natural", or "balanced": as many rows of each class, where labels are known.
            ceiling: the accuracy that could be reached; default: the default student on labels that are held back.
            normalise: whether each row is brought to the same norm.

        Raises UsageError for arrays that are missing, misshapen, not finite, or fail a check.
        """
        from fitness.tasks.data.task import from_arrays

        options = {"classes": classes, "ceiling": ceiling, "normalise": normalise}
        return from_arrays(domain, (train, test), held_out, default_home() / "data", options)

    def draw(self, function: Drawing) -> Drawing:
        """Take the function that draws an instance (a decorator): draw(domain, rng) -> Draw."""
        self._draw = function
        return function

    def score(self, function: Scorer) -> Scorer:
        """Take the function that scores an answer (a decorator): score(answer, private) -> number, more is better."""
        self.scoring.scorer = function
        return function

    def behaviour(self, function: Behaviour) -> Behaviour:
        """Take the function that measures what an answer is like (a decorator): behaviour(answer, public) -> {name: number}."""
        self.scoring.measuring = function
        return function

    def seeds(self, folder: str | Path) -> None:
        """Name the folder of the method files that a search begins with; a relative one lies beside the task's file."""
        self._seeds = (Path(folder),)

    def source(self, options: Mapping[str, Any]) -> OwnSource:
        """Return what draws instances, in the builder."""
        assert self._draw is not None, "a task without draw() is refused before anything is built"
        return OwnSource(self._task.name, self._draw)

    def finished(self) -> Task:
        """Return the task as the engine knows it; its file and its source are for who imported it to fill in.

        Raises UsageError, naming what the file lacks.
        """
        for function, form in ((self._draw, _DRAW), (self.scoring.scorer, _SCORE)):
            if function is None:
                raise UsageError(f"the task {self._task.name} lacks a function: write {form} into its file")
        if self.scoring.own and self.scoring.measuring is None:
            lacks = f"the task {self._task.name} has the measure {self.scoring.own[0]!r} and no function that measures it"
            raise UsageError(f"{lacks}: write @task.behaviour def behaviour(answer, public) into its file")
        return replace(self._task, seeds=self._seeds)

    def place(self) -> tuple[Path, str]:
        """Return the file that the task stands in, and its name there. Raises UsageError where no other process finds it."""
        known = getattr(self._draw, "__globals__", {})
        name = next((name for name, value in known.items() if value is self), "")
        if not name or "__file__" not in known:
            raise UsageError(f"write the task {self._task.name} into a file: its instances are drawn in another process")
        return Path(known["__file__"]).resolve(), name


def _names(domains: Sequence[str]) -> tuple[str, ...]:
    if isinstance(domains, str):
        raise ValueError('domains are a list of names, such as ["chat"]')
    return tuple(domains)


def _contract(
    public: Sequence[Array],
    answer: Answer,
    symmetries: Sequence[Symmetry],
    probes: Sequence[str],
    student: str,
    measures: Sequence[Measure],
    words: Words,
) -> Contract:
    """Return the contract of what a task declares. Raises ValueError for one that contradicts itself."""
    own = tuple(measure.name for measure in measures if measure.name not in (SIZE, *ANY.behaviour))
    axes = tuple(measures) or ANY.measures
    dims = dict.fromkeys(symmetry.of for symmetry in symmetries if symmetry.kind in ("permute", "apart"))
    contract = Contract(
        arrays=tuple(public),
        answer=answer,
        symmetries=(repeats(), *symmetries),
        probes=("determinism", "constant", *(symmetry.name for symmetry in symmetries), "canary", *probes),
        orders=tuple(Order(dim, dim) for dim in dims),
        student=student,
        behaviour=(*own, *ANY.behaviour),
        measures=axes,
        other_measures=tuple(measure for measure in (*ANY.measures, *ANY.other_measures) if measure not in axes),
        words=words,
    )
    _check(contract)
    contract.answer.check()
    for measure in axes:
        if measure.bins < 1 or not measure.low < measure.high:
            raise ValueError(f"the measure {measure.name!r} needs a bin, and edges of which the lower comes first: {measure}")
    if student.isdigit() and int(student) < 2:
        raise ValueError(f"student={student!r} is a student of fewer than two classes")
    return contract


def _check_numbers(seconds: object, scale: object, margin: object, least_instances: object) -> None:
    """Raise ValueError for a setting that no search could keep to."""
    for name, value, words in (("seconds", seconds, "above"), ("margin", margin, "of at least")):
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
        if not 0 <= number < math.inf or (number == 0 and words == "above"):
            raise ValueError(f"{name} is a number {words} 0, got {value!r:.80}")
    if isinstance(least_instances, bool) or not isinstance(least_instances, int) or least_instances < 2:
        raise ValueError(f"least_instances is a whole number of at least 2, got {least_instances!r:.80}")
    if scale is not None:
        ends = tuple(scale) if isinstance(scale, Sequence) else ()
        numbers = [float(end) for end in ends if isinstance(end, int | float)]
        if len(ends) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
            raise ValueError(f"scale is the lowest and the highest number that score() may return, got {scale!r:.80}")


def _check(contract: Contract) -> None:
    """Raise ValueError for a contract that contradicts itself."""
    known = {dim for array in contract.arrays for dim in array.axes}
    names = [array.name for array in contract.arrays]
    for array in contract.arrays:
        if not array.name.isidentifier() or array.name in RESERVED or names.count(array.name) > 1:
            raise ValueError(f"{array.name!r} cannot name a public array: use another word, once")
        array.check()
    always = {dim for array in contract.arrays for dim in array.axes if not array.optional}
    for dim in (*contract.answer.axes, *filter(None, [contract.student])):
        if not dim.isdigit() and dim not in known:
            raise ValueError(f"{dim!r} is a dimension of no public array: there are {', '.join(sorted(known))}, and numbers")
        if not dim.isdigit() and dim not in always:
            raise ValueError(f"{dim!r} is a dimension of optional arrays alone, and an answer needs it of every instance")
    renamed = {symmetry.of for symmetry in contract.symmetries if symmetry.kind == "rename"}
    for array in contract.arrays:
        if array.values not in ("", PROBABILITIES, *known, *renamed) and not array.values.isdigit():
            where = f"array {array.name!r} has values={array.values!r}, a dimension of no public array"
            raise ValueError(f"{where}: write one of {', '.join(sorted(known))}, or declare rename({array.values!r})")
    for symmetry in contract.symmetries:
        _check_symmetry(symmetry, contract)
    for name in contract.probes:
        if contract.probes.count(name) > 1:
            raise ValueError(f"{name!r} names two probes: declare it once (repeats and constant are declared of every task)")


def _check_symmetry(symmetry: Symmetry, contract: Contract) -> None:
    """Raise ValueError for a symmetry that the arrays cannot have."""
    kind, of, arrays = symmetry.kind, symmetry.of, {array.name: array for array in contract.arrays}
    where, known = f"{kind}({of!r})", {dim for array in contract.arrays for dim in array.axes}
    if kind in ("turn", "needs"):
        if of not in arrays:
            raise ValueError(f"{where} names no public array")
        if not arrays[of].axes:
            raise ValueError(f"{where} is of a single number: name an array with a dimension")
        if kind == "turn":
            _check_turn(where, arrays[of], contract)
    elif kind != "repeats":
        places = [array.name for array in contract.arrays if array.values == of]
        if of.isdigit():
            raise ValueError(f'{where} is of a number: give the dimension a name, such as array("y", "n c"), and name that')
        if of not in known and not (kind == "rename" and places):
            raise ValueError(f"{where} names no dimension of a public array")
        if kind == "apart" and (contract.answer.axes[:1] != (of,) or contract.answer.axes.count(of) > 1):
            raise ValueError(f"{where} needs an answer whose first dimension it is, and no other")
        if kind == "apart" and places:
            raise ValueError(
                f"{where} shows some of the {of}, and array {places[0]!r} holds places along all: drop one of them"
            )


def _check_turn(where: str, array: Array, contract: Contract) -> None:
    """Raise ValueError for an array whose last dimension has no axes to turn, or is another array's distribution."""
    if array.dtype not in FLOATS:
        raise ValueError(f"{where} is of {array.dtype}: only arrays of {' or '.join(FLOATS)} can be turned")
    for other in contract.arrays:
        if other.axes[-1:] == array.axes[-1:] and other.values == PROBABILITIES:
            raise ValueError(f"{where} would turn the array {other.name!r}, whose rows are probabilities")
