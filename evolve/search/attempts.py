"""Remembers what was tried, so that the next prompt's table takes the same time however long the run is.

A table begins with what was made of the prompt's parents, then of their ancestors; the rest is what tells most: new bests, near
misses, large falls, and one failure of each kind. Which they are is a matter of fitness, as selection is.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Literal

from evolve.search.candidate import Ended

ROWS = 20  # of a table at most
CHILDREN = 12  # of one parent that are remembered, the newest
GENERATIONS = 6  # of ancestors whose children are near
TELLING = 5  # of each kind of telling attempt that are remembered, the newest
KINDS = 12  # kinds of failure that are remembered, the newest
NEAR = 0.05  # of fitness below its parent's that is a near miss
FAR = 0.2  # of fitness below its parent's that is a large fall
_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|[\d.]+")

Telling = Literal["best", "near miss", "fall"]


class Attempts:
    """What was tried of each parent, and what tells most of a run."""

    def __init__(self) -> None:
        self._children: dict[str, deque[Ended]] = {}
        self._telling: dict[Telling, deque[Ended]] = {kind: deque(maxlen=TELLING) for kind in ("best", "near miss", "fall")}
        self._failures: dict[str, Ended] = {}  # the newest of each kind, in the order they came
        self._recent: deque[Ended] = deque(maxlen=2 * ROWS)
        self._predictions: dict[str, str] = {}
        self._best = -math.inf

    def ended(self, event: Ended, fitness: float | None, parent: float | None) -> None:
        """Remember a proposal that ended; with the fitness of its child and of its first parent, as far as they have one."""
        if event.direction is not None or not event.choice.parents:
            return
        for one in dict.fromkeys(event.choice.parents):
            self._children.setdefault(one, deque(maxlen=CHILDREN)).append(event)
        self._recent.append(event)
        if event.prediction and event.reward.method:
            self._predictions.setdefault(event.reward.method, event.prediction)
        if fitness is None:
            self._failed(event)
        elif kind := self._kind(fitness, parent):
            self._telling[kind].append(event)

    def prediction(self, method: str) -> str:
        """Return what was predicted of a method's card, "" for nothing."""
        return self._predictions.get(method, "")

    def near(self, parents: Sequence[str], ancestors: Mapping[str, str]) -> Iterator[Ended]:
        """Yield what was made of some methods, the newest first, then of their first parents, and so on."""
        line: Iterable[str] = parents
        for _ in range(GENERATIONS):
            line = list(line)
            for one in line:
                yield from reversed(self._children.get(one, ()))
            line = dict.fromkeys(ancestors[one] for one in line if one in ancestors)

    def telling(self) -> Iterator[Ended]:
        """Yield what tells most, one of each kind in turn, the newest of each first; then whatever is new."""
        kinds = [*map(reversed, self._telling.values()), reversed(self._failures.values())]
        for round_of in zip_longest(*kinds):
            yield from (event for event in round_of if event is not None)
        yield from reversed(self._recent)

    def _kind(self, fitness: float, parent: float | None) -> Telling | None:
        if fitness > self._best:
            self._best = fitness
            return "best"
        behind = 0.0 if parent is None else parent - fitness
        return "fall" if behind > FAR else "near miss" if 0 < behind <= NEAR else None

    def _failed(self, event: Ended) -> None:
        """Remember a failure in place of an earlier one of its kind: their sentences differ in names and numbers only."""
        kind = _VARIES.sub("", event.reason or "")[:80]
        self._failures.pop(kind, None)
        self._failures[kind] = event
        if len(self._failures) > KINDS:
            del self._failures[next(iter(self._failures))]
