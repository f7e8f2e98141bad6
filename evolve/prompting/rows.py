"""Writes what a prompt tells of a method in one line: the rows of the table of what was tried, and other methods.

Ideas, predictions and messages are strangers' texts: each stands on one printable line, cut, and in a fence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from evolve.nouns import Exhibit, Tried
from evolve.text import LINE, printable_line, words

FAR = 160  # characters of an idea that was tried elsewhere
ABOUT = 120  # characters of what a method says of itself
PARTS = 3  # names of changed parts in a row
_PART = re.compile(r"(?:(?:async[ ]+)?def|class)[ ]+(\w+)|(\w+)[ ]*(?::[^=\n]*)?=[^=]")
_SENTENCE = re.compile(r"[.!?;:](?=\s|$)")
NOTHING = "an idea that nobody stated"


def row(tried: Tried) -> str:
    """Return a row of the table: operator, idea, what changed, what came of it, and what had been predicted."""
    changed = f" | changed {', '.join(tried.changed)}" if tried.changed else ""
    predicted = f" | predicted: {_cell(tried.prediction, FAR)}" if tried.prediction else ""
    idea = _cell(tried.idea, LINE if tried.near else FAR) or NOTHING
    return f"- {_cell(tried.operator, 40)}: {idea}{changed} | {_cell(tried.outcome, 2 * LINE)}{predicted}"


def other(exhibit: Exhibit) -> str:
    """Return a method as one line: its name, what it says of itself, and what may be seen of its scores."""
    said = next((line.strip().strip("\"'rRuU# ") for line in exhibit.method.source.splitlines() if line.strip()), "")
    return " | ".join([f"- {_cell(exhibit.name, 60)}", _cell(said, ABOUT), exhibit.line or "not scored"])


def whole_sentences(text: str, limit: int) -> str:
    """Return a text as one printable line of at most `limit` characters, cut behind a sentence or a clause."""
    line = printable_line(text, 4 * limit)
    if len(line) <= limit and not line.endswith("…"):
        return line
    ends = [found.end() for found in _SENTENCE.finditer(line, 0, limit) if found.end() > limit // 3]
    if ends:
        return line[: ends[-1]].rstrip(";:")
    kept, _, _ = line[: limit - 1].rstrip("…").rpartition(", ")
    return f"{kept if len(kept) > limit // 3 else line[: limit - 1].rpartition(' ')[0] or line[: limit - 1]}…"


def changed_parts(before: str, after: str) -> tuple[str, ...]:
    """Return the names of the top-level parts in which two files differ, with how many more there are."""
    one, two = _parts(before), _parts(after)
    names = [name for name in dict.fromkeys([*two, *one]) if one.get(name) != two.get(name)]
    more = (f"{len(names) - PARTS} more",) if len(names) > PARTS else ()
    return (*(name[:24] for name in names[:PARTS]), *more)


def outcome(scores: str, ending: str) -> str:
    """Return what came of a child: the scores that may be seen of it, and how it ended."""
    return "; ".join(filter(None, [scores, ending]))


def not_placed(gap: float | None, measures: Mapping[str, float]) -> str:
    """Say how far a child is from what holds its cell, as far as may be told, and where that is."""
    near = ", ".join(f"{words(name)} {value:.2f}" for name, value in measures.items())
    where = f", at {near}" if near else ""
    if gap is None:
        return f"not placed: no better than what holds its cell{where}"
    return f"not placed: {f'{gap:.2f} below' if gap >= 0.005 else 'level with'} what holds its cell{where}"


def _cell(text: str, limit: int) -> str:
    return whole_sentences(text.replace("|", "/"), limit)


def _parts(source: str) -> dict[str, str]:
    """Return the text of each top-level part of a file by name; comments, blanks and docstrings of the file have none."""
    parts = dict[str, list[str]]()
    name = ""
    for line in _lines(source):
        if not line[0].isspace() and (found := _PART.match(line)):
            name = found[1] or found[2]
        if name:
            parts.setdefault(name, []).append(line.rstrip())
    return {name: "\n".join(lines) for name, lines in parts.items()}


def _lines(source: str) -> Iterable[str]:
    return (line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#"))
