"""Edits a method by an offline operator, and checks that the child compiles, differs and is not slow; runs in the worker."""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evolve import operators
from evolve.nouns import Edit, Relative
from evolve.operators.offline.base import Change, Material, Offline
from evolve.operators.offline.numbers import slow
from evolve.operators.offline.perturb import Perturb
from evolve.operators.offline.script import Script, Unsuitable, parse
from fitness.tasks.grammar import Grammar, from_json

DRAWS = 8  # attempts at a child that compiles, differs and is not slow
EXTRA = 0.3  # share of structural children whose numbers are changed too: bigger jumps


def edited(
    operator: str,
    sources: Sequence[str],
    focus: Sequence[str],
    seed: int,
    family: Sequence[Mapping[str, Any]],
    grammar: str | None,
) -> dict[str, Any]:
    """Do as `edit`, with JSON in and out."""
    known = tuple(Relative(tuple(member["constants"]), member["fitness"]) for member in family)
    return asdict(edit(operator, sources, tuple(focus), seed, known, from_json(grammar) if grammar else None))


def edit(
    operator: str,
    sources: Sequence[str],
    focus: tuple[str, ...],
    seed: int,
    family: tuple[Relative, ...] = (),
    grammar: Grammar | None = None,
) -> Edit:
    """Edit sources[0] by an operator's name or reference, with the rest as donors; the same seed, the same child.

    Args:
        family: the parent and the methods that differ from it in constants only.
        grammar: that of the task, if it has one.
    """
    used = operators.load(operator)
    if not isinstance(used, Offline):
        raise TypeError(f"{operator} is no offline operator")
    try:
        donors = readable(sources[1:], grammar)
        return _edit(used, Material(sources[0], donors, focus, family, grammar), random.Random(seed))
    except RecursionError:
        return Edit(None, "", f"{used.name}: the methods are nested too deeply to be edited")


def _edit(used: Offline, material: Material, rng: random.Random) -> Edit:
    try:
        script = parse(material.source, material.grammar)
    except Unsuitable as error:
        return Edit(None, "", f"the parent cannot be edited: {error}")
    problem = "no draw gave a child"
    for _ in range(DRAWS):
        try:
            change = used.change(script, material, rng)
            if used.structural and rng.random() < EXTRA:
                change = _also(change, material, rng)
            return Edit(_checked(change, material.source, script), change.idea, "")
        except Unsuitable as error:
            problem = f"{used.name}: {error}"
    return Edit(None, "", problem)


def readable(sources: Sequence[str], grammar: Grammar | None) -> tuple[Script, ...]:
    """Return the files that can be read."""
    found = []
    for source in sources:
        try:
            found.append(parse(source, grammar))
        except Unsuitable:
            continue
    return tuple(found)


def _also(change: Change, material: Material, rng: random.Random) -> Change:
    """Change numbers on top, where there are any."""
    try:
        more = Perturb().change(change.script, material, rng)
    except Unsuitable:
        return change
    return Change(more.script, f"{change.idea}; {more.idea}")


def _checked(change: Change, parent: str, script: Script) -> str:
    """Render a child. Raises Unsuitable when it equals its parent, does not compile, or would be slow."""
    child = change.text or change.script.render()
    try:
        same = _plain(ast.parse(child)) == _plain(ast.parse(parent))
        compile(child, "method", "exec")
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Unsuitable(f"the child does not compile: {error}") from None
    if same:
        raise Unsuitable("the child is its parent")
    if slow(change.script, script):
        raise Unsuitable("the child would be slow")
    return child


def _plain(tree: ast.Module) -> str:
    """Return a module's syntax without docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
