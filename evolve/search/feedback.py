"""Finds lines that a lineage deleted and a child writes again, for the next prompt.

Of the lines that coding agents add in an evolutionary search, 30 % had been deleted earlier in the same lineage (arXiv
2605.20086). Here a lineage is the line of first parents.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

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
