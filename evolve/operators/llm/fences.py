"""Follows fenced blocks through the lines of a reply (CommonMark 4.5), and triple-quoted strings through a block of Python."""

from __future__ import annotations

import re
from dataclasses import dataclass

FENCE = re.compile(r"([ \t]*)(`{3,}+|~{3,}+)(.*)")
_PYTHON = re.compile(r"\s*(?:$|\{?\s*\.?py(?:thon)?[\d.]*(?!\w)|\S+\.py(?!\w))", re.IGNORECASE)  # also of no language
_TOKEN = re.compile(r""""{3}|'{3}|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|#.*""")
_END = {'"""': re.compile(r'(?:\\.?|[^\\])*?"""'), "'''": re.compile(r"(?:\\.?|[^\\])*?'''")}


class Scanner:
    """Tells of each line whether it is a fence; one inside a triple-quoted string ends no block, if `strings` says so."""

    def __init__(self, strings: bool) -> None:
        self._strings = strings
        self._opened, self._ticks = 0, ""
        self._follows, self._quote = False, ""

    @property
    def open(self) -> bool:
        """Whether a block is open."""
        return bool(self._ticks)

    @property
    def indent(self) -> int:
        """How far the fence that opened the block is indented."""
        return self._opened

    def is_fence(self, line: str) -> bool:
        """Take the next line, and tell whether it opens or closes a block."""
        found = FENCE.match(line) if "```" in line or "~~~" in line else None
        if not self._ticks:
            if not found or ("`" in found[2] and "`" in found[3]):
                return False
            self._opened, self._ticks, self._quote = len(found[1]), found[2], ""
            self._follows = self._strings and bool(_PYTHON.match(found[3]))
            return True
        if found and not self._quote and self._closes(found):
            self._ticks = ""
            return True
        if self._follows:
            self._quote = quote_after(line, self._quote)
        return False

    def _closes(self, found: re.Match[str]) -> bool:
        return found[2].startswith(self._ticks) and not found[3].strip() and len(found[1]) <= self._opened + 3


def quote_after(line: str, quote: str) -> str:
    """Return the triple quotes that a line of Python leaves open, "" for none; `quote` is what the line before left open."""
    at = 0
    while True:
        found = _END[quote].match(line, at) if quote else _TOKEN.search(line, at)
        if found is None:
            return quote
        quote = found[0] if not quote and found[0] in _END else ""
        at = found.end()


def depth_after(line: str, depth: int) -> int:
    """Return how many brackets a line of Python leaves open; `depth` is how many the line before left open."""
    for character in _TOKEN.sub("", line):
        depth += (character in "([{") - (character in ")]}" and depth > 0)
    return depth


def balanced(source: str) -> bool:
    """Tell whether every triple-quoted string of a source is closed."""
    quote = ""
    for line in source.split("\n"):
        quote = quote_after(line, quote)
    return not quote


@dataclass(frozen=True)
class FencedText:
    """The fenced blocks of a text, the lines between them, and whether the last block is closed."""

    blocks: tuple[str, ...]
    between: tuple[str, ...]
    closed: bool


def read(text: str, strings: bool) -> FencedText:
    """Read a text. A fence may be indented by more than CommonMark allows, as in a list: its block is dedented as much."""
    scanner, blocks, between = Scanner(strings), list[list[str]](), list[str]()
    for line in text.split("\n"):
        if scanner.is_fence(line):
            blocks += [[]] if scanner.open else []
        elif scanner.open:
            blocks[-1].append(dedented(line, scanner.indent))
        else:
            between.append(line)
    return FencedText(tuple("\n".join(block) for block in blocks), tuple(between), not scanner.open)


def dedented(line: str, columns: int) -> str:
    """Return a line without as many of its leading blanks."""
    return line[min(len(line) - len(line.lstrip(" \t")), columns) :]
