"""The edits of the local model server: other constants, or one more statement, made on the text of a method."""

from __future__ import annotations

import ast
import builtins
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

STRUCTURAL = {"dim", "axis", "keepdim", "ndim", "n_classes", "num_classes", "minlength"}  # arguments whose value is no choice


@dataclass(frozen=True)
class Piece:
    """Lines [start, end) of the parent and what replaces them."""

    start: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """An idea and the pieces of the parent that it changes, in order."""

    idea: str
    pieces: tuple[Piece, ...]


def edited(source: str, rng: random.Random) -> Change:
    """Return a change of a method: constants scaled, or, one time in four and where there are none, a statement added."""
    tree = ast.parse(source)
    constants = list(_constants(tree))
    if constants and rng.random() < 0.75:
        chosen = rng.sample(constants, min(len(constants), rng.randint(1, 2)))
        return _scaled(source, sorted(chosen, key=lambda node: (node.lineno, node.col_offset)), rng)
    return _tempered(source, tree, rng)


def crossed(source: str, other: str, rng: random.Random) -> Change:
    """Return a change that takes a function or a constant of another method, where both have one of the same name, and more."""
    ours, theirs = (dict(_named(ast.parse(text))) for text in (source, other))
    shared = [n for n in ours if n in theirs and n != "method" and ast.dump(ours[n]) != ast.dump(theirs[n])]
    fitting = [n for n in shared if _uses(theirs[n]) <= {*ours, *dir(builtins), "torch"}]
    if not fitting:
        return edited(source, rng)
    name = rng.choice(fitting)
    lines = tuple((ast.get_source_segment(other, theirs[name]) or "").split("\n"))
    taken = _applied(source, (Piece(ours[name].lineno - 1, ours[name].end_lineno or 0, lines),))
    more = edited(taken, rng)
    whole = Piece(0, source.count("\n") + 1, tuple(_applied(taken, more.pieces).split("\n")))
    return Change(f"take {name} of the second parent; {more.idea}", (whole,))


def direction(text: str, rng: random.Random) -> str:
    """Return the answer of the operator `vary`: a question about some part of the problem."""
    part = rng.choice(
        ("the rows that few rows resemble", "the order in which things are learnt", "the largest groups", "its doubts")
    )
    question = rng.choice(("What if the teacher errs most in", "Perhaps a student should first trust", "Look once more at"))
    return f"NAME: {part.removeprefix('the ')}\nDIRECTION: {question} {part}.\n{text.splitlines()[0][:120] if text else ''}\n"


def shown_as_file(source: str, change: Change) -> str:
    """Return the answer of an operator that asks for a whole file."""
    text = _applied(source, change.pieces).rstrip("\n")
    ticks = "`" * max(3, 1 + max((len(run) for run in _runs(text)), default=0))
    return f"{ticks}python\n{text}\n{ticks}\n"


def shown_as_diff(source: str, change: Change) -> str:
    """Return the answer of the operator `diff`: each piece with as many lines before it as make it unique."""
    lines = source.split("\n")
    blocks = []
    for piece in _unique(lines, change.pieces or (Piece(0, len(lines), tuple(lines)),)):
        search, replace = "\n".join(lines[piece.start : piece.end]), "\n".join(piece.lines)
        blocks.append(f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n")
    return "\n".join(blocks)


def _applied(source: str, pieces: tuple[Piece, ...]) -> str:
    lines = source.split("\n")
    for piece in reversed(pieces):
        lines[piece.start : piece.end] = piece.lines
    return "\n".join(lines)


def _named(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the functions without decorators and the plain constants of a module, by name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            yield node.name, node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant):
            yield node.targets[0].id, node


def _uses(node: ast.stmt) -> set[str]:
    """Return the names that a statement reads and does not bind itself."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    bound = {n.id for n in names if isinstance(n.ctx, ast.Store)} | {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    return {n.id for n in names} - bound


def _constants(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the numbers one can change without breaking a shape: not 0, 1, 2, and not in an index or a structural argument."""
    for statement in (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.Assign)):
        fixed = {inner for node in ast.walk(statement) for part in _structural(node) for inner in ast.walk(part)}
        for node in ast.walk(statement):
            if isinstance(node, ast.Constant) and node not in fixed and node.lineno == node.end_lineno:
                number = node.value
                real = type(number) is float and number not in (0.0, 1.0, 2.0) and math.isfinite(number)
                if real or (type(number) is int and number > 2):
                    yield node


def _structural(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Subscript):
        yield node.slice
    elif isinstance(node, ast.keyword) and node.arg in STRUCTURAL:
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield node


def _scaled(source: str, chosen: list[ast.Constant], rng: random.Random) -> Change:
    lines = source.split("\n")
    touched, notes = set(), []
    for node in reversed(chosen):  # from the last to the first, so that columns stay right
        number = node.value
        assert isinstance(number, int | float)
        text = _other(number, rng)
        row = lines[node.lineno - 1].encode()
        lines[node.lineno - 1] = (row[: node.col_offset] + text.encode() + row[node.end_col_offset :]).decode()
        touched.add(node.lineno - 1)
        notes.append(f"{number!r} becomes {text}")
    pieces = tuple(Piece(i, i + 1, (lines[i],)) for i in sorted(touched))
    return Change(f"other constants: {', '.join(reversed(notes))}", pieces)


def _other(number: int | float, rng: random.Random) -> str:
    """Return another value, at least 10 % and at most a factor of two away; what lies below 1 stays there."""
    factor = math.exp(rng.choice((-1, 1)) * rng.uniform(0.1, math.log(2)))
    if isinstance(number, int):
        return str(next(n for n in (round(number * factor), number + 1) if n != number and n >= 1))
    value = number * factor
    if 0 < number < 1 <= value:
        value = number / factor
    return f"{value:.4g}"


def _tempered(source: str, tree: ast.Module, rng: random.Random) -> Change:
    """Raise what `method` returns to a power: values in [0, 1] stay there."""
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "method")
    leaving = [node for node in function.body if isinstance(node, ast.Return) and node.value is not None][-1]
    assert leaving.value is not None
    expression = ast.get_source_segment(source, leaving.value) or ""
    power = f"{math.exp(rng.uniform(-0.7, 0.7)):.3f}"
    indent = " " * leaving.col_offset
    lines = (f"{indent}tempered = ({expression}) ** {power}", f"{indent}return tempered")
    return Change(
        f"temper the predictions with the power {power}",
        (Piece(leaving.lineno - 1, leaving.end_lineno, tuple("\n".join(lines).split("\n"))),),
    )


def _unique(lines: list[str], pieces: tuple[Piece, ...]) -> Iterator[Piece]:
    """Widen pieces upwards until their lines occur once, merging those that meet."""
    wide: list[Piece] = []
    for piece in pieces:
        start, body = piece.start, piece.lines
        floor = wide[-1].end if wide else 0
        while start > floor and _count(lines, lines[start : piece.end]) > 1:
            start -= 1
            body = (lines[start], *body)
        if wide and _count(lines, lines[start : piece.end]) > 1:
            last = wide.pop()
            start, body = last.start, (*last.lines, *body)
        wide.append(Piece(start, piece.end, body))
    yield from wide


def _count(lines: list[str], part: list[str]) -> int:
    return sum(lines[i : i + len(part)] == part for i in range(len(lines) - len(part) + 1))


def _runs(text: str) -> list[str]:
    return [run for run in "".join(c if c == "`" else " " for c in text).split(" ") if run]
