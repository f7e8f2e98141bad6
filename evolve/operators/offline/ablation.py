"""Leaves out a part of a method that is in no grammar: a statement, or a call of one of its own functions (worker only)."""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evolve.operators.offline.base import Change
from evolve.operators.offline.script import ENTRY, Script, Unsuitable, define

Scope = ast.FunctionDef | ast.AsyncFunctionDef
Block = ast.For | ast.AsyncFor | ast.While | ast.If | ast.With | ast.AsyncWith

# What binds names otherwise than by an assignment, or makes a function a generator.
BINDING = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.ExceptHandler, ast.Match, ast.Global,
    ast.Nonlocal, ast.Yield, ast.YieldFrom,
)  # fmt: skip


@dataclass(frozen=True)
class Cut:
    """A part that can be left out.

    Attributes:
        definition: the name of the definition it is in.
        code: the definition's code without it.
        part: what is left out, in one line; `line`: where it begins in the definition's code.
        statement: that, None for a call in whose place its first argument stands.
    """

    definition: str
    code: str
    part: str
    line: int
    statement: ast.stmt | None = None

    @property
    def idea(self) -> str:
        """What is left out of what."""
        return f"leave out {'of' if self.statement else 'in'} {self.definition}: {self.part}"


def ablate(script: Script, focus: Sequence[str], rng: random.Random) -> Change:
    """Leave out one part, those of the functions in focus three times as often, and what only that part needed."""
    cuts = [cut for name, d in script.definitions.items() if d.kind == "function" for cut in cuts_of(script, name)]
    if not cuts:
        raise Unsuitable("it has no part that can be left out")
    cut = rng.choices(cuts, [3.0 if cut.definition in focus else 1.0 for cut in cuts])[0]
    return Change(script.changed(define(cut.definition, "function", cut.code)).pruned(), cut.idea)


def cuts_of(script: Script, name: str) -> Iterator[Cut]:
    """Yield what can be left out of a function."""
    code = script.definitions[name].code
    node = ast.parse(code).body[0]
    assert isinstance(node, Scope)
    for scope in ast.walk(node):
        if isinstance(scope, Scope):
            for statement in _idle(scope.body, _parameters(scope), _read(scope)):
                yield Cut(name, _without(code, statement), _line(code, statement), statement.lineno, statement)
    for call, argument in _passed(script, node):
        short = ast.unparse(call)
        yield Cut(name, _put(code, call, argument), short if len(short) < 80 else f"{short[:77]}...", call.lineno)


def _idle(block: Sequence[ast.stmt], bound: frozenset[str], read: Counter[str]) -> Iterator[ast.stmt]:
    """Yield the statements without which every name that is read is still bound: before them, or never read elsewhere."""
    for i, statement in enumerate(block):
        alone = all(s.lineno > statement.end_lineno for s in block[i + 1 : i + 2] if statement.end_lineno)
        alone = alone and all(s.end_lineno < statement.lineno for s in block[i - 1 : i] if s.end_lineno)
        binds = frozenset(n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        missed = read - _read(statement)
        if i < len(block) - 1 and alone and _removable(statement) and not any(missed[name] for name in binds - bound):
            yield statement
        if isinstance(statement, Block):
            for inner in (statement.body, getattr(statement, "orelse", [])):
                yield from _idle(inner, bound, read)
        else:
            bound |= binds


def _passed(script: Script, node: Scope) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Yield the calls of the method's own functions in whose place their first argument can stand."""
    problem = _parameters(node) if node.name == ENTRY else frozenset()
    again = [s for s in ast.walk(node) if isinstance(s, ast.Assign) and isinstance(s.value, ast.Call) and s.value.args]
    same = {id(s.value) for s in again if ast.unparse(s.targets[0]) == ast.unparse(s.value.args[0])}  # type: ignore[attr-defined]
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in script.steps and call.args:
            first = call.args[0]
            handle = isinstance(first, ast.Name) and first.id in problem
            waits = script.definitions[call.func.id].code.lstrip().startswith("async")
            if not (isinstance(first, ast.Starred) or handle or waits or id(call) in same):
                yield call, first


def _read(node: ast.AST) -> Counter[str]:
    """Return how often each name is read, to be changed in place too."""
    changed = Counter(n.target.id for n in ast.walk(node) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name))
    return changed + Counter(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store))


def _parameters(scope: Scope) -> frozenset[str]:
    return frozenset(a.arg for a in ast.walk(scope.args) if isinstance(a, ast.arg))


def _removable(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return False  # a docstring
    if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr | Block):
        return False
    return not any(isinstance(node, BINDING) for node in ast.walk(statement))


def _line(code: str, statement: ast.stmt) -> str:
    return code.splitlines()[statement.lineno - 1].strip()


def _without(code: str, statement: ast.stmt) -> str:
    lines = code.split("\n")
    return "\n".join(lines[: statement.lineno - 1] + lines[statement.end_lineno :])


def _put(code: str, old: ast.expr, new: ast.expr) -> str:
    """Return the code with one expression in place of another that it is part of."""
    text = ast.get_source_segment(code, new)
    lines = code.encode().split(b"\n")
    assert text is not None
    assert old.end_lineno is not None
    before = b"\n".join([*lines[: old.lineno - 1], lines[old.lineno - 1][: old.col_offset]])
    after = b"\n".join([lines[old.end_lineno - 1][old.end_col_offset :], *lines[old.end_lineno :]])
    plain = isinstance(new, ast.Name | ast.Constant | ast.Call | ast.Attribute | ast.Subscript)
    return (before + (text if plain else f"({text})").encode() + after).decode()
