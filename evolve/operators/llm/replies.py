"""Reads a model's reply: its idea, the file in a fenced block, or SEARCH/REPLACE blocks and what they do to a parent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from evolve.operators.llm import bare, fences
from evolve.operators.llm.bare import IDEA, PREDICTION
from evolve.operators.llm.fences import FENCE, FencedText, Scanner, dedented
from evolve.operators.llm.matching import EditMatch, ParentFile
from evolve.operators.llm.thoughts import MIDDLE, REPLACE, SEARCH, Unreadable, spoken
from evolve.text import fence, printable_line

IDEAS = 300  # characters of an idea that are kept
QUOTED = 2_000  # characters of a failed SEARCH part that the repair turn shows
EDITS = 64  # edits of one reply
_ENDS = (FENCE, SEARCH, IDEA, PREDICTION)  # lines that end a paragraph
EXPLAINED = 4  # failed edits that the repair turn shows in full


class Unmatched(Exception):
    """Edits that cannot be applied to their parent.

    Attributes:
        details: markdown for the model: each edit that failed, why, and what the parent has instead.
    """

    def __init__(self, sentence: str, details: str) -> None:
        super().__init__(sentence)
        self.details = details


@dataclass(frozen=True)
class EditBlock:
    """One SEARCH/REPLACE edit, as whole lines."""

    search: tuple[str, ...]
    replace: tuple[str, ...]


def idea(reply: str) -> str:
    """Return the idea or hypothesis the model stated, as one line; empty when it stated none."""
    return _stated(reply, IDEA)


def prediction(reply: str) -> str:
    """Return what the model predicted of its child's feedback card, as one line; empty when it predicted nothing."""
    return _stated(reply, PREDICTION)


def _stated(reply: str, label: re.Pattern[str]) -> str:
    try:
        lines = spoken(reply).split("\n")
    except Unreadable:
        return ""
    for number, line in enumerate(lines):
        found = label.match(line)
        stated = printable_line(" ".join(_paragraph(found[1] or "", lines[number + 1 : number + 6])), IDEAS) if found else ""
        if stated := stated.strip("*_ "):
            return stated
    return ""


def _paragraph(first: str, lines: list[str]) -> list[str]:
    """Return the first paragraph that is not empty; code ends it."""
    text = [first] if first.strip() else []
    for line in lines:
        if any(mark.match(line) for mark in _ENDS) or (text and not line.strip()):
            break
        text += [line] if line.strip() else []
    return text


def whole_file(reply: str) -> str:
    """Return the file in a reply: its last fenced block that defines `method`, or what stands there without any fence.

    Raises Unreadable when there is none, or the last block is not closed: the reply breaks off in it.
    """
    said = spoken(reply)
    if with_fences := bare.with_fences(said.split("\n")):
        return with_fences.strip("\n") + "\n"
    reading = next((found for found in _readings(said) if _is_whole(found)), fences.read(said, strings=False))
    if not reading.closed:
        raise Unreadable("the reply breaks off inside its last block of code: the fence that closes it is missing")
    files = _files(reading) or bare.files([*reading.between])
    if not files:
        lacks = "no block of code in the reply defines `def method(problem)`" if reading.blocks else _NO_BLOCK
        raise Unreadable(lacks)
    return files[-1].strip("\n") + "\n"


_NO_BLOCK = "the reply has no fenced block of code"


def _readings(said: str) -> Iterator[FencedText]:
    """Yield the reply as it reads when a fence in a docstring ends no block, then as it reads when every fence does."""
    yield fences.read(said, strings=True)
    yield fences.read(said, strings=False)


def _is_whole(reading: FencedText) -> bool:
    files = _files(reading)
    return reading.closed and bool(files) and fences.balanced(files[-1])


def _files(reading: FencedText) -> list[str]:
    blocks = (block.lstrip("\n\ufeff") for block in reading.blocks)
    return [block for block in blocks if bare.defines_method(block.split("\n"))]


def blocks(reply: str) -> list[EditBlock]:
    """Return the SEARCH/REPLACE blocks of a reply. Raises Unreadable when there is none, or one is not finished."""
    found: list[EditBlock] = []
    search: list[str] = []
    replace: list[str] = []
    part: list[str] | None = None  # the list that takes the next line, None outside a block
    indent, scanner = 0, Scanner(strings=False)
    for written in spoken(reply).split("\n"):
        line = dedented(written, indent) if indent else written
        begins = SEARCH.match(line) if "<<<<<" in line else None
        if part is None:
            if begins:
                search, replace, indent = [], [], len(begins[1])
                part = search
            else:
                scanner.is_fence(written)
        elif begins:
            raise Unreadable(f"edit {len(found) + 1} of the reply is not finished when the next one begins")
        elif part is search and MIDDLE.match(line):
            part = replace
        elif part is replace and REPLACE.match(line):
            found.append(EditBlock(tuple(search), tuple(replace)))
            part, indent = None, 0
        else:
            part.append(line)
    if part is not None:
        raise Unreadable(f"edit {len(found) + 1} of the reply is not finished: its ======= or >>>>>>> REPLACE line is missing")
    if not found:
        raise Unreadable("the reply has no SEARCH/REPLACE block")
    if scanner.open:
        raise Unreadable("the reply breaks off inside its last block of code: the fence that closes it is missing")
    if len(found) > EDITS:
        raise Unreadable(f"the reply has {len(found)} edits: write at most {EDITS}, each as large as it takes")
    return found


def apply(parent: str, edits: list[EditBlock]) -> str:
    """Return the parent with all edits made.

    Raises Unmatched unless each SEARCH part occurs exactly once, each edit changes something, and none overlap. Differences
    that nobody can see, such as blanks at the end of a line, are none; a block indented less is indented as the parent's.
    """
    old = ParentFile(parent)
    details: list[str] = []
    spans: list[tuple[int, int, int, tuple[str, ...]]] = []  # first line, line after the last, number of the edit, new lines
    for number, edit in enumerate(edits, start=1):
        found = old.find(edit.search, edit.replace)
        once = len(found.places) == 1
        if once:
            at = found.places[0]
            spans.append((at, at + found.length, number, found.replace))
        if not once or old.lines[at : at + found.length] == found.replace:
            details.append(_explained(number, edit, old, found, full=len(details) < EXPLAINED))
    spans.sort()
    for (_, end, one, _), (start, _, other, _) in pairwise(spans):
        if start < end:
            details.append(f"Edits {min(one, other)} and {max(one, other)} overlap.")
    if details:
        raise Unmatched(f"{len(details)} of the {len(edits)} edits cannot be applied to the parent", "\n\n".join(details))
    lines = [*old.lines]
    for start, end, _, new in reversed(spans):
        lines[start:end] = new
    return "\n".join(lines)


def _explained(number: int, edit: EditBlock, old: ParentFile, found: EditMatch, *, full: bool) -> str:
    if not any(map(str.strip, edit.search)):
        return f"Edit {number}: its SEARCH part is empty."
    if len(found.places) == 1:
        return f"Edit {number}: its REPLACE part is the same as its SEARCH part, so it changes nothing."
    quoted = fence("\n".join(edit.search)[:QUOTED], "text")
    shown = f"\n\n{quoted}" if full else ""
    if found.places:
        where = ", ".join(str(place + 1) for place in found.places)
        return f"Edit {number}: its SEARCH part occurs {len(found.places)} times in the parent, from lines {where}.{shown}"
    return f"Edit {number}: its SEARCH part does not occur in the parent.{shown}{old.nearest(edit.search) if full else ''}"
