"""Finds the file in lines that no fence encloses: what is code of it, and what is prose around it."""

from __future__ import annotations

import re

from evolve.operators.llm.fences import FENCE, balanced, depth_after, quote_after
from evolve.operators.llm.thoughts import DEFINES_METHOD

IDEA = re.compile(r"^[ \t>*_#-]*(?:idea|hypothesis)[ \t*_]*(?::[ \t*_]*(.*))?$", re.IGNORECASE)
PREDICTION = re.compile(r"^[ \t>*_#-]*(?:predicts?|prediction)[ \t*_]*:[ \t*_]*(.*)$", re.IGNORECASE)
_FIRM = r"import [\w.]+(?:\s+as \w+)?\s*(?:[,;#]|$)|from [\w.]+ import |(?:async )?def \w+\s*[(\[]|class \w+\s*[(:\[]|@\w"
_TOP = re.compile(  # how a line at the top level of a file begins
    _FIRM + r"|#|[ubrf]*[\"']{3}|[A-Za-z_][\w.]*(?:\[.*\])?\s*(?::\s*[\w.\[\], |]+)?[-+*/|&]?=[^=]"
    r"|(?:if|for|while|with|try|else|elif|except|finally)\b.*:\s*(?:#|$)|[a-z_][\w.]*\(.*\)\s*(?:#|$)|(?:assert|del) \w"
)
_FIRM_TOP = re.compile(_FIRM)  # which no line of prose begins like


def defines_method(lines: list[str]) -> bool:
    """Tell whether `method` is defined at the top level."""
    return any(DEFINES_METHOD.match(line) and line[:1] == "d" for line in lines)


def files(lines: list[str]) -> list[str]:
    """Return the file that stands in lines without a fence, from its first to its last line of code; none without one."""
    lines = [line.lstrip("\ufeff") for line in lines]
    if not defines_method(lines) or any(map(FENCE.match, lines)):
        return []
    return [_cut(lines)]


def with_fences(lines: list[str]) -> str:
    """Return the file that stands in lines before any fence but those in its triple-quoted strings; "" when there is none."""
    lines = [line.lstrip("\ufeff") for line in lines]
    if not any(map(FENCE.match, lines)) or not defines_method(lines):
        return ""
    first = next(n for n, line in enumerate(lines) if _begins(line))
    quote, defined = "", False
    for number, line in enumerate(lines[first:], first):
        if not quote and FENCE.match(line):
            if defines_method(lines[number:]):  # in a block
                return ""
            lines = lines[:number]
            break
        defined |= not quote and bool(DEFINES_METHOD.match(line)) and line[:1] == "d"
        quote = quote_after(line, quote)
    file = "" if quote or not defined or any(map(FENCE.match, lines[:first])) else _cut(lines)
    return file if balanced(file) else ""


def _begins(line: str) -> bool:
    return bool(_TOP.match(line)) and not IDEA.match(line) and not PREDICTION.match(line)


def _cut(lines: list[str]) -> str:
    """Return the lines from the first that can be code to the last; prose behind `method` ends them, unless code follows it.

    What is indented belongs to the line at the top level before it.
    """
    first = next(n for n, line in enumerate(lines) if _begins(line))
    last, quote, depth, code, defined, ended = first, "", 0, True, False, False
    for number, line in enumerate(lines[first:], first):
        if not quote and not depth and line[:1].strip() and line[0] not in ")]}":
            code = _begins(line)
            ended = not _FIRM_TOP.match(line) if ended else defined and not code
            defined |= bool(DEFINES_METHOD.match(line))
        if code and not ended and (quote or line.strip()):
            last = number
        if code:
            depth = depth if quote else depth_after(line, depth)
            quote = quote_after(line, quote)
    return "\n".join(lines[first : last + 1])
