"""Reads a model's reply: its idea, the file in a fenced block, or SEARCH/REPLACE blocks and what they do to a parent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise

from evolve.text import fence, printable_line

IDEA = re.compile(r"^[ \t>*_#-]*(?:idea|hypothesis)[ \t*_]*(?::[ \t*_]*(.*))?$", re.IGNORECASE)
FENCE = re.compile(r"([ \t]*)(`{3,}+|~{3,}+)(.*)")
DEFINES_METHOD = re.compile(r"^def\s+method\s*\(", re.MULTILINE)
SEARCH, MIDDLE, REPLACE = (re.compile(p) for p in (r"^<{5,9} ?SEARCH\s*$", r"^={5,9}\s*$", r"^>{5,9} ?REPLACE\s*$"))
IDEAS = 300  # characters of an idea that are kept
LONG = 100  # characters of a line that are compared when looking for the nearest one
QUOTED = 2_000  # characters of a failed SEARCH part that the repair turn shows
EDITS = 64  # edits of one reply
EXPLAINED = 4  # failed edits that the repair turn shows in full


class Unreadable(Exception):
    """A reply that does not have the format asked for; the message is a sentence."""


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


def spoken(reply: str) -> str:
    """Return a reply without the thoughts that some local servers leave in front of it, and with plain line ends."""
    said = reply.rpartition("</think>")[2].rpartition("</thinking>")[2]
    return said.replace("\r\n", "\n").replace("\r", "\n")


def idea(reply: str) -> str:
    """Return the idea or hypothesis the model stated, as one line; empty when it stated none."""
    lines = spoken(reply).split("\n")
    for number, line in enumerate(lines):
        found = IDEA.match(line)
        stated = printable_line(" ".join(_paragraph(found[1] or "", lines[number + 1 : number + 6])), IDEAS) if found else ""
        if stated := stated.strip("*_ "):
            return stated
    return ""


def _paragraph(first: str, lines: list[str]) -> list[str]:
    """Return the first paragraph that is not empty; code ends it."""
    text = [first] if first.strip() else []
    for line in lines:
        if FENCE.match(line) or SEARCH.match(line) or IDEA.match(line) or (text and not line.strip()):
            break
        text += [line] if line.strip() else []
    return text


def whole_file(reply: str) -> str:
    """Return the file in a reply: its last fenced block that defines `method`. Raises Unreadable when there is none."""
    blocks = [block.lstrip("\n\ufeff") for block in _fenced(spoken(reply))]
    if not blocks:
        raise Unreadable("the reply has no fenced block of code")
    files = [block for block in blocks if DEFINES_METHOD.search(block)]
    if not files:
        raise Unreadable("no block of code in the reply defines `def method(problem)`")
    return files[-1].strip("\n") + "\n"


def blocks(reply: str) -> list[EditBlock]:
    """Return the SEARCH/REPLACE blocks of a reply. Raises Unreadable when there is none, or one is not finished."""
    found: list[EditBlock] = []
    search: list[str] = []
    replace: list[str] = []
    part: list[str] | None = None  # the list that takes the next line, None outside a block
    for line in spoken(reply).split("\n"):
        if part is None:
            if SEARCH.match(line):
                search, replace = [], []
                part = search
        elif SEARCH.match(line):
            raise Unreadable(f"edit {len(found) + 1} of the reply is not finished when the next one begins")
        elif part is search and MIDDLE.match(line):
            part = replace
        elif part is replace and REPLACE.match(line):
            found.append(EditBlock(tuple(search), tuple(replace)))
            part = None
        else:
            part.append(line)
    if part is not None:
        raise Unreadable(f"edit {len(found) + 1} of the reply is not finished: its ======= or >>>>>>> REPLACE line is missing")
    if not found:
        raise Unreadable("the reply has no SEARCH/REPLACE block")
    if len(found) > EDITS:
        raise Unreadable(f"the reply has {len(found)} edits: write at most {EDITS}, each as large as it takes")
    return found


def apply(parent: str, edits: list[EditBlock]) -> str:
    """Return the parent with all edits made.

    Raises Unmatched unless each SEARCH part occurs exactly once, each edit changes something, and none overlap.
    """
    lines = parent.replace("\r\n", "\n").split("\n")
    details: list[str] = []
    spans: list[tuple[int, int, int]] = []  # first line, line after the last, number of the edit
    for number, edit in enumerate(edits, start=1):
        places = _places(lines, edit.search)
        if len(places) == 1:
            spans.append((places[0], places[0] + len(edit.search), number))
        if len(places) != 1 or edit.search == edit.replace:
            details.append(_explained(number, edit, lines, places, full=len(details) < EXPLAINED))
    spans.sort()
    for (_, end, one), (start, _, other) in pairwise(spans):
        if start < end:
            details.append(f"Edits {min(one, other)} and {max(one, other)} overlap.")
    if details:
        raise Unmatched(f"{len(details)} of the {len(edits)} edits cannot be applied to the parent", "\n\n".join(details))
    for start, end, number in reversed(spans):
        lines[start:end] = edits[number - 1].replace
    return "\n".join(lines)


def _places(lines: list[str], search: tuple[str, ...]) -> list[int]:
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


def _explained(number: int, edit: EditBlock, lines: list[str], places: list[int], *, full: bool) -> str:
    if not any(edit.search):
        return f"Edit {number}: its SEARCH part is empty."
    if len(places) == 1:
        return f"Edit {number}: its REPLACE part is the same as its SEARCH part, so it changes nothing."
    quoted = fence("\n".join(edit.search)[:QUOTED], "text")
    shown = f"\n\n{quoted}" if full else ""
    if places:
        where = ", ".join(str(place + 1) for place in places)
        return f"Edit {number}: its SEARCH part occurs {len(places)} times in the parent, from lines {where}.{shown}"
    return f"Edit {number}: its SEARCH part does not occur in the parent.{shown}{_nearest(edit.search, lines) if full else ''}"


def _nearest(search: tuple[str, ...], lines: list[str]) -> str:
    first = next(line for line in search if line)[:LONG]
    near = get_close_matches(first, [line[:LONG] for line in lines if line.strip()], n=1)
    if not near:
        return ""
    at = next(i for i, line in enumerate(lines) if line[:LONG] == near[0])
    stretch = "\n".join(lines[at : at + min(len(search), 20)])[:QUOTED]
    return f"\n\nThe parent has, from line {at + 1}:\n\n{fence(stretch, 'python')}"


def _fenced(text: str) -> list[str]:
    """Return the contents of the fenced blocks; a block that is never closed runs to the end (CommonMark 4.5).

    An opening fence may be indented by more than CommonMark allows, as in a list; its block is then dedented as much.
    """
    found: list[list[str]] = []
    opened, ticks = 0, ""
    for line in text.split("\n"):
        fence_line = FENCE.match(line)
        if not ticks:
            if fence_line and not ("`" in fence_line[2] and "`" in fence_line[3]):
                opened, ticks = len(fence_line[1]), fence_line[2]
                found.append([])
        elif fence_line and fence_line[2].startswith(ticks) and not fence_line[3].strip() and len(fence_line[1]) <= opened + 3:
            ticks = ""
        else:
            indent = len(line) - len(line.lstrip(" \t"))
            found[-1].append(line[min(indent, opened) :])
    return ["\n".join(block) for block in found]
