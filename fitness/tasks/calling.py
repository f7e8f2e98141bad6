"""Calls the functions of a task of the user's own, and holds what they return against what they promise."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any

from fitness import pgr
from fitness.contracts.contract import OFFSETS, Arrays
from fitness.nouns import Score, TaskFault
from fitness.tasks.source import Draw

if TYPE_CHECKING:
    import numpy as np

    from fitness.tasks.secret import Secret


class OwnSource:
    """Draws instances with the function that a task's file defines."""

    def __init__(self, task: str, function: Callable[[str, np.random.Generator], Draw]) -> None:
        self._task, self._function = task, function

    def draw(self, domain: str, secret: Secret) -> Draw:
        """Draw one instance; everything random about it comes from the secret. Raises TaskFault."""
        from fitness.contracts.checking import check_anchors

        drawn = _called(self._task, "draw", self._function, domain, secret.rng("draw"))
        if not isinstance(drawn, Draw):
            raise TaskFault(f"draw() of the task {self._task} returned {_kind(drawn)}, and must return a Draw")
        check_anchors(drawn.floor, drawn.ceiling)
        return drawn


class OwnScoring:
    """Scores answers with the functions that a task's file defines.

    Attributes:
        scorer: the function score; `measuring`: the function behaviour; None where the file has none.
        own: what `behaviour` must measure.
    """

    def __init__(self, task: str, scale: tuple[float, float] | None, own: tuple[str, ...]) -> None:
        self._task, self._scale, self.own = task, scale, own
        self.scorer: Callable[[np.ndarray, Arrays], Any] | None = None
        self.measuring: Callable[[np.ndarray, Arrays], Mapping[str, float]] | None = None

    def score(self, answer: np.ndarray, private: Arrays, floor: float, ceiling: float) -> Score:
        """Score an answer between the anchors. Raises TaskFault."""
        assert self.scorer is not None, "a task without score() is refused before anything is judged"
        said = _called(self._task, "score", self.scorer, _kept(answer), {name: _kept(a) for name, a in private.items()})
        value, error = said if isinstance(said, tuple) and len(said) == 2 else (said, 0.0)
        value, error = self._number("score", "a number", value), self._number("score", "a standard error", error)
        if self._scale and not self._scale[0] <= value <= self._scale[1]:
            low, high = self._scale
            raise TaskFault(f"score() of the task {self._task} returned {value:g}, outside of its scale [{low:g}, {high:g}]")
        if error < 0:
            raise TaskFault(f"score() of the task {self._task} returned the standard error {error:g}, which is below 0")
        return pgr.recovered(value, floor, ceiling, len(answer) if answer.ndim else 1, error)

    def behaviour(self, answer: np.ndarray, public: Callable[[], Arrays], private: Arrays) -> Mapping[str, float]:
        """Return what the file measures of an answer, and what is measured of any. Raises TaskFault."""
        found = dict[str, float]()
        if self.measuring is not None and self.own:
            said = _called(self._task, "behaviour", self.measuring, _kept(answer), strings(public()))
            for name in self.own:
                if not isinstance(said, Mapping) or name not in said:
                    raise TaskFault(f"behaviour() of the task {self._task} returned no {name!r}, and it is a measure")
                found[name] = self._number("behaviour", name, said[name])
        return {**found, "evenness": evenness(answer), "above_mean": float((answer > answer.mean()).mean())}

    def errors(self, answer: np.ndarray, private: Arrays) -> Mapping[str, float]:
        """Return nothing: what is an error, only the file knows."""
        return {}

    def right(self, answer: np.ndarray, private: Arrays) -> None:
        """Return nothing, for the same reason."""

    def _number(self, function: str, what: str, value: object) -> float:
        if not isinstance(value, Real) or not math.isfinite(value):
            raise TaskFault(f"{function}() of the task {self._task} returned {_kind(value)}, expected {what}, finite")
        return float(value)


def _kept(array: np.ndarray) -> np.ndarray:
    """Return a view that a task's function can read and not change: other trials are scored against the same array."""
    view = array.view()
    view.flags.writeable = False
    return view


def evenness(answer: np.ndarray) -> float:
    """Return how evenly an answer's numbers lie apart from their mean: 1 when all do alike, near 0 when few do at all."""
    apart = answer - answer.mean(dtype="float64")
    square = float((apart**2).mean())
    return float(abs(apart).mean()) ** 2 / square if square > 0 else 0.0


def strings(arrays: Arrays) -> dict[str, Any]:
    """Return arrays as a task drew them: those that are kept as bytes and offsets as lists of strings."""
    found: dict[str, Any] = {name: array for name, array in arrays.items() if not name.endswith(OFFSETS)}
    for name in arrays.keys() - found.keys():
        whole, ends = arrays[name.removesuffix(OFFSETS)].tobytes(), arrays[name].tolist()
        found[name.removesuffix(OFFSETS)] = [whole[a:b].decode() for a, b in pairwise(ends)]
    return found


def _called(task: str, name: str, function: Callable[..., Any], *arguments: object) -> Any:
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        file = function.__code__.co_filename
        lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
        said = " ".join(str(error).split())[:200]
        place = f" at line {lines[-1]} of {file}" if lines else ""
        raise TaskFault(
            f"{name}() of the task {task} raised {type(error).__name__}{place}{f': {said}' if said else ''}"
        ) from error


def _kind(value: object) -> str:
    return f"{value!r}"[:40] if isinstance(value, Real) else f"{type(value).__name__}"
