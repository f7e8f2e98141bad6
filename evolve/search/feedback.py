"""Keeps what the next prompt is told: what was tried nearby and failed, and lines that a lineage deleted.

Of the lines that coding agents add in an evolutionary search, 30 % had been deleted earlier in the same lineage (arXiv
2605.20086). Here a lineage is the line of first parents.
"""

from __future__ import annotations

import re
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from archives.nouns import MethodRecord
from evolve.nouns import Brief, Broken, Exhibit, Failure, Relative
from evolve.search.candidate import Ended
from evolve.search.state import SearchState
from evolve.selection.choice import Choice
from fitness.nouns import Status

FAILURES = 200  # failures that are remembered
SHOWN = 4  # failures shown in a brief
BROKEN = 64  # failed children that can still be repaired
FAMILY = 60  # methods of one structure that a brief names, the newest
NO_GAIN = "judged, and not placed: no better than what its cell holds"

LINES = 400  # lines of a method that are remembered
DELETED = 200  # lines that a lineage deleted, the newest
_WORD = re.compile(r"\w")
_NOISE = frozenset({"else:", "try:", "finally:", "pass", "break", "continue", "return"})


def significant(source: str) -> Iterator[str]:
    """Yield the lines of a source that say something, stripped, once each: no blank, comment or bracket-only ones."""
    for line in dict.fromkeys(line.strip() for line in source.splitlines()):
        if _says_something(line):
            yield line


def _says_something(line: str) -> bool:
    return line not in _NOISE and not line.startswith("#") and bool(_WORD.search(line))


@dataclass(frozen=True)
class _Step:
    """A method: its lines, and those that its lineage deleted and it does not have, the newest first; as numbers of lines."""

    lines: array[int]
    deleted: array[int]


class DeletedLines:
    """The lines of every method and of what its ancestors deleted; a method takes at most some 2 kB."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}  # of lines as they stand in a file; -1 for those that say nothing
        self._lines: list[str] = []
        self._steps: dict[str, _Step] = {}

    def add(self, child: str, source: str, parent: str | None) -> None:
        """Remember a method and what it deleted of its first parent; one that is known already keeps its first parent."""
        if child in self._steps:
            return
        numbers = dict.fromkeys(self._number(line) for line in source.splitlines())
        numbers.pop(-1, None)
        lines = array("I", list(numbers)[:LINES])
        self._steps[child] = _Step(lines, self._left(frozenset(numbers), self._steps.get(parent or "")))

    def knows(self, method: str) -> bool:
        """Tell whether a method is remembered."""
        return method in self._steps

    def deleted(self, method: str) -> tuple[str, ...]:
        """Return the lines that a method's lineage had once and it has not, the newest deletion first."""
        return tuple(self._lines[number] for number in self._steps[method].deleted) if method in self._steps else ()

    def readded(self, parent: str, source: str) -> tuple[str, ...]:
        """Return the lines of a child's source that its parent's lineage deleted, in the child's order."""
        deleted = frozenset(self.deleted(parent))
        return tuple(line for line in significant(source) if line in deleted)

    def _left(self, present: frozenset[int], parent: _Step | None) -> array[int]:
        """Return what is deleted after a step from a parent to a method with these lines."""
        if parent is None:
            return array("I")
        gone = array("I", [number for number in parent.lines if number not in present])
        back = present.intersection(parent.deleted)
        if not gone and not back:
            return parent.deleted
        gone.extend(number for number in parent.deleted if number not in back)
        return gone[:DELETED]

    def _number(self, line: str) -> int:
        number = self._numbers.get(line)
        if number is None:
            number = self._new(line.strip())
            self._numbers[line] = number
        return number

    def _new(self, stripped: str) -> int:
        """Number a line that was not seen before, at least not with this indentation."""
        if not _says_something(stripped):
            return -1
        number = self._numbers.setdefault(stripped, len(self._lines))
        if number == len(self._lines):
            self._lines.append(stripped)
        return number


def problem_of(status: Status, message: str) -> str:
    """Return why a method failed when it was judged, "" when it did not."""
    return "" if status is Status.OK else f"{status}: {message}"


def failure(problem: str, flags: str, placed: bool) -> str | None:
    """Return why a judged child led nowhere: it failed, was flagged, or gained nothing; None when it did not."""
    return problem or (f"flagged by {flags}" if flags else None if placed else NO_GAIN)


class Feedback:
    """Recent failures, failed children, and the families of methods; `source` returns that of a proposal."""

    def __init__(self, state: SearchState, source: Callable[[int], str]) -> None:
        self._state, self._source = state, source
        self._failures: deque[Ended] = deque(maxlen=FAILURES)
        self._broken: dict[int, str] = {}  # why the child of a proposal failed
        self._families: dict[str, list[str]] = {}  # structure -> methods, in the order they were added
        self._lineages = DeletedLines()

    def add_method(self, method: MethodRecord) -> None:
        """Remember a method among those of its structure."""
        self._families.setdefault(method.structure, []).append(method.id)

    def ended(self, event: Ended) -> None:
        """Remember what led nowhere, and a child that a model may repair; the oldest are forgotten."""
        if event.reason is not None:
            self._failures.append(event)
            if event.broken:
                self._broken[event.number] = event.reason
                if len(self._broken) > BROKEN:
                    del self._broken[next(iter(self._broken))]

    def brief(
        self, choice: Choice, parents: Sequence[Exhibit], inspirations: Sequence[Exhibit], line: Callable[[str], str]
    ) -> Brief:
        """Return what an operator is told: the exhibits, and what was tried nearby; `line` is what is disclosed of a method."""
        parents_now = frozenset(choice.parents)
        near = [event for event in reversed(self._failures) if not parents_now.isdisjoint(event.choice.parents)]
        self._trace(choice.parents[0])
        return Brief(
            direction=choice.direction,
            parents=tuple(parents),
            inspirations=tuple(inspirations),
            failures=tuple(self._failure(event, line) for event in near[:SHOWN]),
            deleted=self._lineages.deleted(choice.parents[0]),
            broken=self._broken_child(choice.fixes),
            family=self._family(choice.parents[0]),
        )

    def _failure(self, event: Ended, line: Callable[[str], str]) -> Failure:
        """Return what a child tried and why it led nowhere, with what is disclosed of its scores."""
        method = event.reward.method
        scores = line(method) if method in self._state.methods else ""
        return Failure(event.idea, "; ".join(filter(None, [event.reason, scores])), method if scores else "")

    def summary(self, idea: str, parent: str, child: str) -> str:
        """Return what a child that led nowhere tried, with how many lines it wrote again that its lineage had deleted."""
        self._trace(parent)
        readded = len(self._lineages.readded(parent, self._state.methods[child].source))
        return f"{idea} ({readded} of its lines had been deleted in this lineage before)" if readded else idea

    def _broken_child(self, proposal: int | None) -> Broken | None:
        """Return the failed child of a proposal, None when it did not fail or is forgotten."""
        if proposal is None or proposal not in self._broken:
            return None
        return Broken(self._source(proposal), self._broken[proposal])

    def _trace(self, method: str) -> None:
        """Follow a method's lineage from where it is known already; most methods are never a parent and are never followed."""
        methods, parents = self._state.methods, self._state.parents
        line: dict[str, None] = {}
        one: str | None = method
        while one in methods and one not in line and not self._lineages.knows(one):
            line[one] = None
            one = parents.get(one)
        for one in reversed(line):
            self._lineages.add(one, methods[one].source, parents.get(one))

    def _family(self, method: str) -> tuple[Relative, ...]:
        """Return the methods of a method's structure that have a fitness, itself included."""
        methods, known = self._state.methods, self._state.known_fitness
        kin = self._families.get(methods[method].structure, [])[-FAMILY:]
        return tuple(Relative(methods[m].constants, fitness) for m in kin if (fitness := known(m)) is not None)
