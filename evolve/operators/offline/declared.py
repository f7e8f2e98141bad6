"""Reads the constants that a method declares as tunable, and writes other values in their place.

A declaration is a comment behind the assignment of one number, in one of two forms:

    SHARE = 0.3  # tune: 0.05 to 0.9
    RATE = 3e-4  # tune: 1e-5 to 1e-2, log

What cannot be used is left alone and said in a sentence: no method is refused for a comment.
All but `declares` is for the worker.
"""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MOST = 6  # declared constants of a method that are tuned: a dozen trials say little about more
LARGEST = 1e9  # of an end of a range: arithmetic on what is larger could overflow
WIDTH = 1e3  # how many times the value a range may be wide
DECADES = 6  # that a logarithmic range may span
NAME = 40  # characters of a name in a sentence
FORMS = "`# tune: 0.05 to 0.9`, or `# tune: 1e-5 to 1e-2, log`"
_MARK = re.compile(r"#[ \t]*tune[ \t]*:", re.IGNORECASE)
_FORM = re.compile(r"#\s*tune\s*:\s*([^\s,]{1,30})\s+to\s+([^\s,]{1,30})\s*(,\s*log)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Declared:
    """A constant that may be tuned.

    Attributes:
        line: of the file, from 1; `start` and `end`: the bytes of that line at which its number stands.
        low, high: its range, both included; `log`: whether it is drawn on a logarithmic scale.
    """

    line: int
    start: int
    end: int
    name: str
    value: int | float
    low: float
    high: float
    log: bool


def declares(source: str) -> bool:
    """Tell whether a source says that it declares a constant, from its text alone."""
    return _MARK.search(source) is not None


def read(source: str) -> tuple[list[Declared], list[str]]:
    """Return the declared constants of a file, at most MOST, and why other declarations are not used."""
    assigned = _assigned(ast.parse(source))
    found: list[Declared] = []
    refused: list[str] = []
    more = 0
    for line, comment in _comments(source):
        one = _declared(line, comment, assigned.get(line, []))
        if isinstance(one, str):
            refused.append(f"line {line}: {one}")
        elif len(found) < MOST:
            found.append(one)
        else:
            more += 1
    if more:
        refused.append(f"{more} declared constants more are left alone: {MOST} are at most")
    return found, refused


def write(source: str, constants: Sequence[Declared], values: Sequence[int | float]) -> str:
    """Return the file with other values of its declared constants, and nothing else changed but the ends of lines."""
    lines = _lines(source)
    for constant, value in zip(constants, values, strict=True):
        line = lines[constant.line - 1].encode()
        lines[constant.line - 1] = (line[: constant.start] + repr(value).encode() + line[constant.end :]).decode()
    return "\n".join(lines)


def _lines(source: str) -> list[str]:
    """Return the lines that Python counts."""
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments that declare something, each with its line."""
    for token in tokenize.generate_tokens(io.StringIO("\n".join(_lines(source))).readline):
        if token.type == tokenize.COMMENT and _MARK.match(token.string):
            yield token.start[0], token.string


def _assigned(tree: ast.AST) -> dict[int, list[ast.Assign | ast.AnnAssign]]:
    """Return the assignments that stand on one line, by line."""
    found: dict[int, list[ast.Assign | ast.AnnAssign]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.lineno == node.end_lineno:
            found.setdefault(node.lineno, []).append(node)
    return found


def _declared(line: int, comment: str, assigned: Sequence[ast.Assign | ast.AnnAssign]) -> Declared | str:
    """Return the constant that a comment declares, or why it declares none."""
    node = assigned[0] if len(assigned) == 1 else None
    target = None if node is None else node.target if isinstance(node, ast.AnnAssign) else node.targets[-1]
    single = isinstance(node, ast.AnnAssign) or (node is not None and len(node.targets) == 1)
    value = _number(node.value) if node is not None else None
    if node is None or node.value is None or value is None or not single or not isinstance(target, ast.Name):
        return "only the assignment of one number to a name, on a line of its own, can be tuned"
    form = _FORM.fullmatch(comment)
    ends = [_end(text) for text in form.groups()[:2]] if form else []
    if form is None or None in ends:
        return f"the range is written as {FORMS}"
    low, high = (end for end in ends if end is not None)
    problem = _problem(value, low, high, log := bool(form[3]))
    if problem:
        return f"{target.id[:NAME]} is not tuned: {problem}"
    return Declared(line, node.value.col_offset, node.value.end_col_offset or 0, target.id, value, low, high, log)


def _number(node: ast.expr | None) -> int | float | None:
    """Return the number that a literal says, None for anything else."""
    negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    literal = node.operand if isinstance(node, ast.UnaryOp) and negative else node
    if not isinstance(literal, ast.Constant) or type(literal.value) not in (int, float):
        return None
    number: int | float = literal.value  # type: ignore[assignment]  # the line above says so
    return -number if negative else number


def _end(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _problem(value: int | float, low: float, high: float, log: bool) -> str:
    """Say what is wrong with a range, as a part of a sentence; "" when it can be used."""
    if not all(abs(number) <= LARGEST for number in (low, high, value)):  # what is no number is none of these either
        return f"an end of its range is a number between -{LARGEST:g} and {LARGEST:g}"
    if low >= high:
        return "the lower end of its range comes first"
    if not low <= value <= high:
        return f"its value {value:g} is outside its range"
    if isinstance(value, int) and not (low.is_integer() and high.is_integer()):
        return "a whole number has whole ends: write the number with a point, or the ends without a fraction"
    if log and low <= 0:
        return "a logarithmic range begins above 0"
    if log and high / low > 10**DECADES:
        return f"a logarithmic range spans {DECADES} decades at most"
    if not log and high - low > WIDTH * (abs(value) or 1.0):
        return f"its range is more than {WIDTH:,.0f} times as wide as the value: narrow it, or add `, log`"
    return ""


def said(refused: Sequence[str], most: int = 3) -> str:
    """Return why declarations are not used, in one line."""
    more = f"{len(refused) - most} declarations more are not used either"
    return "; ".join([*refused[:most], more] if len(refused) > most else refused)


def named(constants: Iterable[Declared], values: Iterable[int | float]) -> str:
    """Return which constants have other values, and which."""
    pairs = [(one, value) for one, value in zip(constants, values) if value != one.value]
    return ", ".join(f"{one.name[:NAME]} {one.value:g} -> {value:g}" for one, value in pairs)


def exact(constant: Declared, value: float) -> int | float:
    """Return a value as it is written: whole where the constant is, else with three digits, and inside the range."""
    if isinstance(constant.value, int):
        return math.floor(value)
    return float(min(max(float(f"{value:.3g}"), constant.low), constant.high))
