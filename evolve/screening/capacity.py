"""Tells whether a source carries more than it may of what was learnt elsewhere (worker only): most need only a quick look."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import libcst as cst

from evolve.screening.remembered import INNER, LEAST, LOOKS, Places


def carries_more(tree: cst.Module, source: str, limit: int) -> bool:
    """Tell whether the places of a source that compiles hold more digits and bytes than this; the tree is its own."""
    at_least, at_most = bounds(source)
    return at_least > limit or (at_most > limit and Places(tree).size > limit)


def bounds(source: str) -> tuple[int, float]:
    """Return how many digits and bytes the places of a source hold at least, and at most."""
    at_least, at_most, silent = 0, 0.0, set[int]()
    for node in ast.walk(ast.parse(source)):
        if any(name in LOOKS or INNER.fullmatch(name) for name in _names_in(node)):
            at_most = float("inf")
        if isinstance(node, ast.Expr):
            silent.add(id(node.value))  # walked before what is in it: a docstring
        elif isinstance(node, ast.Constant) and id(node) not in silent:
            at_most += _most(node.value)
        elif isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
            elements = node.values if isinstance(node, ast.Dict) else node.elts
            at_least += len(elements) if len(elements) >= LEAST else 0
            at_most += len(list(ast.iter_child_nodes(node)))
    return at_least, at_most


def _most(value: object) -> int:
    """Return how many digits or bytes a constant can hold at most."""
    if isinstance(value, int):
        return value.bit_length() // 3 + 1
    return len(value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass"))


def _names_in(node: ast.AST) -> Iterator[str]:
    """Yield the names that stand in a node itself."""
    for field in ("id", "attr", "arg", "name", "asname"):
        if name := getattr(node, field, None):
            yield from str(name).split(".")
