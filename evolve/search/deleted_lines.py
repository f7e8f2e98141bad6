"""Keeps the lines that lineages dropped.

Of the lines that coding agents add in an evolutionary search, 30 % had been deleted earlier in the same lineage (arXiv
2605.20086). Here a lineage is the line of first parents.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from evolve.operators.llm.fences import quote_after

LINES = 400  # lines of a method that are remembered
DELETED = 200  # lines that a lineage deleted, the newest
_WORD = re.compile(r"\w")
_NOISE = frozenset({"else:", "try:", "finally:", "pass", "break", "continue", "return"})
_NO_STATEMENT = re.compile(r"#|@|[rbuf]{0,2}[\"']|(?:async\s+)?def\b|class\b|import\b|from\b|[)\]}]")


def significant(source: str) -> Iterator[str]:
    """Yield the lines of a source that say something, stripped, once each: no blank, comment or bracket-only ones."""
    for line in dict.fromkeys(line.strip() for line in source.splitlines()):
        if _says_something(line):
            yield line


def _says_something(line: str) -> bool:
    return line not in _NOISE and not line.startswith("#") and bool(_WORD.search(line))


def statements(source: str) -> Iterator[str]:
    """Yield the lines of a source that do something, stripped: no docstring, definition, import, comment or lone bracket."""
    quote = ""
    for line in source.splitlines():
        inside, quote = quote, quote_after(line, quote)
        stripped = line.strip()
        if not inside and not quote and _says_something(stripped) and not _NO_STATEMENT.match(stripped):
            yield stripped


@dataclass(frozen=True)
class _Step:
    """A method: its lines, and those that its lineage deleted and it does not have, the newest first; as numbers of lines."""

    lines: array[int]
    deleted: array[int]


class DeletedLines:
    """The lines of every method and of what its ancestors dropped; a method takes at most some 2 kB.

    `read` yields the lines of a source that count.
    """

    def __init__(self, read: Callable[[str], Iterable[str]]) -> None:
        self._read = read
        self._numbers: dict[str, int] = {}
        self._lines: list[str] = []
        self._steps: dict[str, _Step] = {}

    def add(self, child: str, source: str, parent: str | None, counts: bool = True) -> None:
        """Remember a method, and where it `counts` what it dropped of its first parent; one that is known keeps its parent."""
        if child in self._steps:
            return
        numbers = dict.fromkeys(self._number(line) for line in self._read(source))
        lines = array("I", list(numbers)[:LINES])
        self._steps[child] = _Step(lines, self._left(frozenset(numbers), self._steps.get(parent or ""), counts))

    def knows(self, method: str) -> bool:
        """Tell whether a method is remembered."""
        return method in self._steps

    def deleted(self, method: str) -> tuple[str, ...]:
        """Return the lines that a method's lineage dropped and it has not, the newest deletion first."""
        return tuple(self._lines[number] for number in self._steps[method].deleted) if method in self._steps else ()

    def readded(self, parent: str, source: str) -> tuple[str, ...]:
        """Return the lines of a child's source that its parent's lineage deleted, in the child's order."""
        deleted = frozenset(self.deleted(parent))
        return tuple(line for line in dict.fromkeys(self._read(source)) if line in deleted)

    def _left(self, present: frozenset[int], parent: _Step | None, counts: bool) -> array[int]:
        """Return what is deleted after a step from a parent to a method with these lines."""
        if parent is None:
            return array("I")
        gone = array("I", [number for number in parent.lines if counts and number not in present])
        back = present.intersection(parent.deleted)
        if not gone and not back:
            return parent.deleted
        gone.extend(number for number in parent.deleted if number not in back)
        return gone[:DELETED]

    def _number(self, line: str) -> int:
        number = self._numbers.setdefault(line, len(self._lines))
        if number == len(self._lines):
            self._lines.append(line)
        return number
