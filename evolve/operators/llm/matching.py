"""Finds the lines of an edit in its parent, whatever differs that nobody can see, or says where they begin to differ."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from evolve.text import fence, visible

LONG = 100  # characters of a line that are compared when looking for the nearest one
QUOTED = 2_000  # characters of the parent that the repair turn shows
STRETCH, COMPARED, STARTS = 20, 200, 32  # lines shown, lines compared to find what differs, and places where that is tried
AROUND = 60  # characters shown on each side of a difference
TABS = (4, 8, 2)  # columns that a tab may stand for
EMPTY = "(an empty line)"
Lines = tuple[str, ...]


@dataclass(frozen=True)
class EditMatch:
    """Where lines occur: the places, as many lines as `length`, and what replaces them there."""

    places: list[int]
    length: int
    replace: Lines


class ParentFile:
    """The lines of a file that edits are looked for in."""

    def __init__(self, source: str) -> None:
        self.lines: Lines = tuple(source.replace("\r\n", "\n").replace("\r", "\n").split("\n"))

        self._keys: dict[int, list[str]] = {}

    def _folded(self, size: int) -> list[str]:
        if size not in self._keys:
            self._keys[size] = [folded(line, size) for line in self.lines]
        return self._keys[size]

    @cached_property
    def _bare(self) -> list[str]:
        return [line.lstrip() for line in self._folded(TABS[0])]

    @cached_property
    def _has_tabs(self) -> bool:
        return any("\t" in line for line in self.lines)

    def find(self, search: Lines, replace: Lines) -> EditMatch:
        """Return where the lines occur: exactly, or else but for blanks, empty edges and how far the block is indented."""
        places = _places(self.lines, search)
        trimmed, new = _trimmed(search, replace)
        if places or not trimmed or len(trimmed) > len(self.lines):
            return EditMatch(places, len(search), replace)
        sizes = TABS if self._has_tabs or any("\t" in line for line in search) else TABS[:1]
        for size in sizes:
            keys = [folded(line, size) for line in search]
            head = next(n for n, key in enumerate(keys) if key)
            for part, whole in ((search, keys), (trimmed, keys[head : head + len(trimmed)])):
                places = _places(self._folded(size), whole)
                if places:
                    return self._found(places, part, replace if part is search else new, (0, 0), size)
        return self._shifted(trimmed, new, sizes)

    def _shifted(self, search: Lines, replace: Lines, sizes: tuple[int, ...]) -> EditMatch:
        """Look for a block that is indented more, or less, than in the parent, by the same number of columns in every line.

        The first line alone may have lost its indent, as it does when a model's server strips the block.
        """
        keys = [folded(line, TABS[0]).lstrip() for line in search]
        for size in sizes:
            by_shift: dict[tuple[int, int], list[int]] = {}
            for place in _places(self._bare, keys):
                first, *rest = (columns(ours, size) - columns(theirs, size) for ours, theirs in self._pairs(place, search))
                if len(set(rest)) <= 1 and (rest[:1] in ([], [first]) or not columns(search[0], size)):
                    by_shift.setdefault((first, rest[0] if rest else first), []).append(place)
            if by_shift:
                places = sorted(place for found in by_shift.values() for place in found)
                return self._found(places, search, replace, next(iter(by_shift)), size)
        return EditMatch([], len(search), replace)

    def _pairs(self, place: int, search: Lines) -> Iterator[tuple[str, str]]:
        """Pair the parent's lines with those looked for, but for empty ones."""
        return ((ours, theirs) for ours, theirs in zip(self.lines[place:], search) if folded(theirs, 1))

    def _found(self, places: list[int], search: Lines, replace: Lines, shifts: tuple[int, int], size: int) -> EditMatch:
        """Return the places, and the replacement as the parent writes blanks and indents.

        The shifts are those of the first line and of the others.
        """
        ours = self.lines[places[0] : places[0] + len(search)]
        odd = {character for character in "".join(search) if _is_odd(character)} - set("".join(ours))
        table = {ord(character): " " if character.isspace() else None for character in odd}
        tabs = any(line.startswith("\t") for line in ours)
        plain = [line.translate(table) for line in replace]
        head, rest = _shifts(next(filter(str.strip, ours), ""), search, plain, shifts, size)
        first = next((n for n, line in enumerate(plain) if line.strip()), 0)
        new = (_indented(line, head if n == first else rest, size, tabs) for n, line in enumerate(plain))
        return EditMatch(places, len(search), tuple(new))

    def nearest(self, search: Lines) -> str:
        """Return markdown: what the parent has where most of the lines begin to occur, and the first line that differs."""
        first = next(n for n, line in enumerate(search) if folded(line, 1))
        at = self._nearest(search[first:])
        if at is None:
            return ""
        stretch = "\n".join(self.lines[at : at + min(len(search), STRETCH)])[:QUOTED]
        shown = f"\n\nThe parent has, from line {at + 1}:\n\n{fence(stretch, 'python')}"
        differs = self._agree(at, search[first:])
        if differs >= len(search) - first:
            return shown
        theirs, ours = search[first + differs], self.lines[at + differs] if at + differs < len(self.lines) else None
        if ours is None:
            return f"{shown}\n\nThe parent ends before line {first + differs + 1} of the SEARCH part."
        if theirs == ours:  # as deep as in the parent, which the lines before are not
            differs, theirs, ours = 0, search[first], self.lines[at]
        one, other = _apart(theirs, ours)
        pair = fence(f"SEARCH: {one or EMPTY}\nparent: {other or EMPTY}", "text")
        where = f"line {first + differs + 1} of the SEARCH part, and line {at + differs + 1} of the parent"
        return f"{shown}\n\nThey differ first in {where}, which read, with what cannot be seen as escapes:\n\n{pair}"

    def _nearest(self, search: Lines) -> int | None:
        key = folded(search[0], TABS[0]).lstrip()
        starts = [n for n, line in enumerate(self._bare) if line == key][:STARTS]
        if starts:
            return max(starts, key=lambda at: self._agree(at, search))
        near = get_close_matches(search[0][:LONG], [line[:LONG] for line in self.lines if line.strip()], n=1)
        return next((n for n, line in enumerate(self.lines) if near and line[:LONG] == near[0]), None)

    def _agree(self, at: int, search: Lines) -> int:
        """Return how many of the lines are the parent's from there on, all of them indented more, or less, by as much."""
        shift = columns(self.lines[at], TABS[0]) - columns(search[0], TABS[0])
        for n, line in enumerate(search[:COMPARED]):
            if at + n >= len(self.lines) or folded(line, 1).lstrip() != folded(self.lines[at + n], 1).lstrip():
                return n
            if line.strip() and columns(self.lines[at + n], TABS[0]) - columns(line, TABS[0]) != shift:
                return n
        return len(search)


def folded(line: str, size: int) -> str:
    """Return a line with plain blanks, one between words, none at its end, and nothing that cannot be seen."""
    if not line.isascii():
        line = unicodedata.normalize("NFC", "".join(c for c in line if c.isspace() or visible(c) == c))
    text = line.strip()
    if text == line and line.isascii() and "  " not in text and "\t" not in text:
        return text
    return " " * columns(line, size) + re.sub(r"\s+", " ", text) if text else ""


def columns(line: str, size: int) -> int:
    """Return how far a line is indented, a tab going on to the next multiple of `size` columns; a form feed begins anew."""
    blanks = line[: len(line) - len(line.lstrip())].rpartition("\x0c")[2]
    return len(re.sub(r"[^\t]", " ", blanks).expandtabs(size))


def _is_odd(character: str) -> bool:
    return not character.isascii() and (character.isspace() or visible(character) != character)


def _shifts(ours: str, search: Lines, replace: list[str], shifts: tuple[int, int], size: int) -> tuple[int, int]:
    """Return by how many columns the first line of a replacement is indented more, and by how many the others are.

    It is usually written as the lines looked for are. Two other ways are the parent's own: all of it indented as the parent's
    lines (`ours` is the first of them), and the same but for a first line that lost its indent.
    """
    wanted, written = columns(ours, size), [columns(line, size) for line in replace if line.strip()]
    if not any(shifts) or not written:
        return shifts
    looked_for = columns(next(filter(str.strip, search)), size)
    if written[0] == wanted != looked_for:
        return 0, 0
    head = next(filter(str.strip, replace)).rstrip()
    alone = len([line for line in search if line.strip()]) == 1
    deeper = len(written) > 1 and not written[0] and written[1] >= wanted > 0 and not head.endswith(_GOES_ON)
    return (shifts[0], 0) if alone and deeper else shifts


_GOES_ON = (":", "(", "[", "{", ",", "\\")  # how a line ends whose next one is indented more


def _indented(line: str, shift: int, size: int, tabs: bool) -> str:
    """Return a line indented by so many columns more, with tabs where the parent has them."""
    text = line.lstrip()
    wanted = max(columns(line, size) + shift, 0)
    return ("\t" * (wanted // size) + " " * (wanted % size) if tabs else " " * wanted) + text if text else ""


def _trimmed(search: Lines, replace: Lines) -> tuple[Lines, Lines]:
    """Return both parts without the empty lines at their edges that the first part has."""
    head = next((n for n, line in enumerate(search) if folded(line, 1)), len(search))
    tail = next((n for n, line in enumerate(reversed(search)) if folded(line, 1)), 0)
    new = list(replace)
    for count, end in ((head, 0), (tail, -1)):
        for _ in range(count):
            if new and not new[end].strip():
                new.pop(end)
    return search[head : len(search) - tail], tuple(new)


def _places(lines: Lines | list[str], search: Lines | list[str]) -> list[int]:
    """Return where the lines occur, as whole lines: all places, or the first few of many."""
    if not any(search):
        return []
    text, wanted = "\n".join(["", *lines, ""]), "\n".join(["", *search, ""])
    found: list[int] = []
    at = text.find(wanted)
    while at >= 0 and len(found) < 8:
        found.append(text.count("\n", 0, at))
        at = text.find(wanted, at + 1)
    return found


def _apart(one: str, other: str) -> tuple[str, str]:
    """Return the stretch of two lines where they begin to differ, with everything but plain letters as escapes."""
    at = next((n for n, pair in enumerate(zip(one, other)) if pair[0] != pair[1]), min(len(one), len(other)))
    start = max(at - AROUND, 0)
    shown: Callable[[str], str] = lambda line: line[start : at + AROUND].encode("ascii", "backslashreplace").decode()  # noqa: E731
    return shown(one).replace("\t", "\\t"), shown(other).replace("\t", "\\t")
