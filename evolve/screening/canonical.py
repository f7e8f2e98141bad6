"""Computes the canonical form of a method, its structure and constants, and a sketch of it for novelty (worker only)."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from operator import eq

import numpy as np

from evolve.screening.dead_code import prune, walk

SKETCH = 64  # MinHash permutations (Broder 1997)
_SHINGLE = 4  # syntax tokens a shingle
_PRIME = (1 << 61) - 1  # modulus of the hash functions
_HASHES = np.random.default_rng(20260421).integers(1, 1 << 31, size=(2, SKETCH), dtype=np.uint64)


@dataclass(frozen=True)
class Canonical:
    """What is left of a source when comments, docstrings, formatting and local names are gone.

    Attributes:
        id: first 16 hexadecimal digits of the sha256 of the canonical form.
        structure: the same with every number masked, and without what never runs (dead_code.py): methods that differ only in
            constants, or in code that `method` does not reach, share it.
        constants: the numbers, in order, of what runs.
        nodes: number of syntax nodes.
        sketch: MinHash of shingles of the syntax tokens of what runs (Broder 1997), for cheap Jaccard distances.
    """

    id: str
    structure: str
    constants: tuple[float, ...]
    nodes: int
    sketch: tuple[int, ...]


def canonical(source: str) -> Canonical:
    """Canonicalise a source that compiles.

    Raises SyntaxError or RecursionError when it does not parse, OverflowError for an integer that no float can hold.
    """
    pruned = _without_docstrings(ast.parse(source))
    whole = _without_docstrings(ast.parse(source)) if prune(pruned) else None
    tokens, nodes = _written(pruned)
    exact, nodes = _written(whole) if whole is not None else (tokens, nodes)
    numbers = tuple(float(value) for kind, value in tokens if kind == "number" and isinstance(value, int | float))
    masked = [kind if kind == "number" else f"{kind}:{value!r}" for kind, value in tokens]
    return Canonical(_digest([f"{kind}:{value!r}" for kind, value in exact]), _digest(masked), numbers, nodes, _sketch(masked))


def _written(parsed: ast.Module) -> tuple[list[tuple[str, object]], int]:
    """Return the tokens of a module whose names are canonical, and the number of its nodes."""
    tree = _Rename(_keywords(parsed)).visit(parsed)
    return _tokens(tree, []), len(walk(tree))


def sketch_distance(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """Return the estimated Jaccard distance of two sketches, in [0, 1]."""
    same: int = sum(map(eq, a, b))
    return 1.0 - same / SKETCH


def _digest(tokens: list[str]) -> str:
    return hashlib.sha256("\x00".join(tokens).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                node.body = node.body[1:] or [ast.Pass()]
    return tree


def _keywords(tree: ast.Module) -> frozenset[str]:
    """Return names used as keywords in calls: a parameter of that name cannot be renamed without its calls."""
    return frozenset(node.arg for node in walk(tree) if isinstance(node, ast.keyword) and node.arg)


class _Rename(ast.NodeTransformer):
    """Renames what the file itself binds, scope by scope, in order of appearance; `method` and keywords keep their names."""

    def __init__(self, keep: frozenset[str]) -> None:
        self._keep = keep | {"method"}
        self._scopes: list[dict[str, str]] = []

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """Enter the module's scope."""
        return self._scope(node, list(_bound(node)))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Rename a function and enter its scope."""
        node.name = self._name(node.name)
        return self._scope(node, [*_parameters(node.args), *_bound(node)])

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Enter a lambda's scope."""
        return self._scope(node, list(_parameters(node.args)))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Rename a use."""
        node.id = self._name(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Rename a parameter; annotations go."""
        node.arg, node.annotation = self._name(node.arg), None
        return node

    def visit_alias(self, node: ast.alias) -> ast.AST:
        """Rename what an import binds."""
        bound = node.asname or node.name.split(".")[0]
        if node.asname or self._name(bound) != bound:
            node.asname = self._name(bound)
        return node

    def _scope(self, node: ast.AST, names: list[str]) -> ast.AST:
        depth = len(self._scopes)
        fresh = (name for name in dict.fromkeys(names) if name not in self._keep)
        self._scopes.append({name: f"_{depth}_{i}" for i, name in enumerate(fresh)})
        node = self.generic_visit(node)
        self._scopes.pop()
        return node

    def _name(self, name: str) -> str:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        return name


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
        if argument is not None:
            yield argument.arg


def _bound(scope: ast.AST) -> Iterator[str]:
    """Yield the names a scope binds itself, not those of scopes inside it, as they appear."""
    pending = list(ast.iter_child_nodes(scope))[::-1]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.split(".")[0]
        elif not isinstance(node, ast.Lambda | ast.arguments | ast.Constant):
            pending += list(ast.iter_child_nodes(node))[::-1]


def _tokens(node: ast.AST, found: list[tuple[str, object]]) -> list[tuple[str, object]]:
    """Add (kind, value) in reading order: node types, identifiers, numbers."""
    if isinstance(node, ast.Constant):
        number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        found.append(("number" if number else "constant", node.value))
        return found
    found.append((type(node).__name__, ""))
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            _tokens(value, found)
        elif isinstance(value, list):
            found.append((name, len(value)))
            for item in value:
                if isinstance(item, ast.AST):
                    _tokens(item, found)
                else:
                    found.append((name, item))
        elif value is not None and name not in ("type_comment", "kind"):
            found.append((name, value))
    return found


def _sketch(tokens: list[str]) -> tuple[int, ...]:
    shingles = {"\x00".join(tokens[i : i + _SHINGLE]) for i in range(max(1, len(tokens) - _SHINGLE + 1))}
    words = [
        int.from_bytes(hashlib.blake2b(s.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big") for s in shingles
    ]
    hashed = (np.array(words, dtype=np.uint64)[:, None] * _HASHES[0] + _HASHES[1]) % np.uint64(_PRIME)
    return tuple(int(value) for value in hashed.min(axis=0) & np.uint64(0xFFFFFFFF))
