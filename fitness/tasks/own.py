"""Puts a task of the user's own together, in one file: `evolve.Task`, whose functions draw its instances and score answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitness.contracts.contract import Answer, Array, Words
from fitness.contracts.symmetries import Symmetry
from fitness.nouns import Direction, Measure
from fitness.tasks.source import Draw
from fitness.tasks.task import Task

if TYPE_CHECKING:
    import numpy as np

WORDS = Words()
Arrays = Mapping[str, "np.ndarray"]
Drawing = Callable[[str, "np.random.Generator"], Draw]
Scorer = Callable[["np.ndarray", Arrays], Any]
Behaviour = Callable[["np.ndarray", Arrays], Mapping[str, float]]


class OwnTask:
    """A task in one file: `task = Task("certify", ...)`, `@task.draw`, `@task.score`, and `task.seeds("baselines")`.

    The file is code that the user trusts. `draw(domain, rng)` runs in the builder, a process of its own, and `rng` is keyed by
    the vault; `score(answer, private)` and `behaviour(answer, public)` run in the trusted process; none of them where methods
    run. A score is a number, or a number and its standard error.
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
        student: str = "",
        scale: tuple[float, float] | None = None,
        margin: float = 0.0,
        measures: Sequence[Measure] = (),
        words: Words = WORDS,
        directions: Sequence[Direction] = (),
        least_instances: int = 4,
        version: str = "1",
    ) -> None:
        """Declare it.

        Args:
            name: in messages and in the vault; letters, digits, _ and -, as in the domains' names.
            search: domains that a search is scored on; `held_out`: those that a champion is judged on afterwards.
            public: the arrays that a method is handed; `answer`: what it returns.
            brief: explains the task to a researcher or a language model.
            seconds: what one run of a method may take.
            symmetries: what no honest method cares about: `permute`, `apart`, `rename`, `turn`, `exchange`, `needs`.
            student: the dimension (or number) of classes, for a task whose methods are handed problem.student.
            scale: the lowest and highest number that `score` may return.
            margin: by how much a ceiling must exceed its floor; an instance with less is drawn again.
            measures: axes of the grid, of what `behaviour` returns, and of size.
            words: what value, floor and ceiling are called.
            directions: the research directions that a search begins with.
            least_instances: dev instances of each search domain that a method needs before it can be placed.
            version: raise it whenever an instance would come out different; a changed file is another task anyway.
        """
        raise NotImplementedError

    def draw(self, function: Drawing) -> Drawing:
        """Take the function that draws an instance (a decorator): draw(domain, rng) -> Draw."""
        raise NotImplementedError

    def score(self, function: Scorer) -> Scorer:
        """Take the function that scores an answer (a decorator): score(answer, private) -> number, more is better."""
        raise NotImplementedError

    def behaviour(self, function: Behaviour) -> Behaviour:
        """Take the function that measures what an answer is like (a decorator): behaviour(answer, public) -> {name: number}."""
        raise NotImplementedError

    def seeds(self, folder: str | Path) -> None:
        """Name the folder of the method files that a search begins with; a relative one lies beside the task's file."""
        raise NotImplementedError

    def finished(self) -> Task:
        """Return the task as the engine knows it. Raises UsageError, naming what the file lacks."""
        raise NotImplementedError
