"""Finds what of a method never runs: definitions that `method` does not reach, statements after a return (worker only).

Only what surely has no effect is pruned: a file and the same file without it behave alike, also when they crash.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator

from fitness.sandbox import ALLOWED_IMPORTS

# Modules that surely can be imported where methods run, and what else of theirs people import by name.
_HARMLESS = frozenset({
    "numpy", "numpy.linalg", "scipy", "sklearn", "torch", "torch.Tensor", "torch.nn", "torch.nn.functional", "torch.optim",
})  # fmt: skip
_TYPES = frozenset({"bool", "bytes", "dict", "float", "frozenset", "int", "list", "object", "set", "str", "tuple"})
_LOOKUPS = frozenset({"globals", "locals", "vars", "eval", "exec", "compile", "dir", "__import__", "__builtins__", "__name__"})
_ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_SCOPED = (ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal, ast.NamedExpr, ast.alias, ast.ExceptHandler)


def walk(tree: ast.AST) -> list[ast.AST]:
    """Return what `ast.walk` yields, in half the time."""
    found = [tree]
    for node in found:
        for name in node._fields:
            held = getattr(node, name, None)
            if isinstance(held, ast.AST):
                found.append(held)
            elif isinstance(held, list):
                found += [item for item in held if isinstance(item, ast.AST)]
    return found


def prune(tree: ast.Module) -> bool:
    """Take out of a module what never runs; tell whether there was any."""
    nodes = walk(tree)
    for node in nodes:
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, list(_reached(block)) or ([ast.Pass()] if name == "body" and block else []))
    if not _looks_names_up(tree):
        _drop_unused(tree)
    return len(walk(tree)) != len(nodes)


def _reached(block: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a block that can run and do something."""
    for place, statement in enumerate(block):
        nothing = isinstance(statement, ast.Pass) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        )
        if not nothing:
            yield statement
        if isinstance(statement, _ENDS):
            rest = block[place + 1 :]
            if any(_binds(later) for later in rest):  # a name that is bound anywhere in a function is local to all of it
                yield from rest
            return


def _binds(statement: ast.stmt) -> bool:
    """Tell whether a statement that never runs still decides what a name means, or what kind of function this is."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Match, *_SCOPED)
    return any(
        isinstance(node, kinds) or (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load))
        for node in walk(statement)
    )


def _looks_names_up(tree: ast.Module) -> bool:
    """Tell whether a file may reach a name without naming it."""
    nodes = walk(tree)
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    dunders = any(isinstance(node, ast.Attribute) and node.attr in ("__dict__", "__globals__") for node in nodes)
    modules = {alias.name for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    return bool(names & _LOOKUPS) or dunders or bool(modules & {"*", "sys", "inspect", "importlib"})


def _drop_unused(tree: ast.Module) -> None:
    """Drop the top-level definitions that neither `method` nor anything else that runs names, and the names they alone use."""
    defining: dict[str, list[int]] = {}
    imported = set[str]()
    pending, kept = [], set[int]()
    for place, statement in enumerate(tree.body):
        names = _defined(statement, imported)
        if names is None or "method" in names:
            pending.append(place)
        for name in names or ():
            defining.setdefault(name, []).append(place)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            imported |= {alias.asname or alias.name.split(".")[0] for alias in statement.names}
    while pending:
        place = pending.pop()
        if place not in kept:
            kept.add(place)
            for name in set(_names(tree.body[place])):
                pending += defining.pop(name, [])
    tree.body = [statement for place, statement in enumerate(tree.body) if place in kept] or [ast.Pass()]


def _names(node: ast.AST) -> Iterator[str]:
    """Yield every name that is read, written or declared global anywhere inside."""
    for inner in walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Global | ast.Nonlocal):
            yield from inner.names


def _defined(statement: ast.stmt, imported: set[str]) -> set[str] | None:
    """Return the names that a statement binds when binding them is all it does, and cannot fail; else None."""
    if isinstance(statement, ast.FunctionDef):
        return {statement.name} if _plain_function(statement, imported) else None
    if isinstance(statement, ast.Assign):
        targets = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        return set(targets) if len(targets) == len(statement.targets) and _plain(statement.value) else None
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        plain = _is_type(statement.annotation, imported) and (statement.value is None or _plain(statement.value))
        return {statement.target.id} if plain else None
    if isinstance(statement, ast.Import):
        return _imported([(alias.name, alias.name, alias) for alias in statement.names])
    if isinstance(statement, ast.ImportFrom) and statement.module and statement.module != "__future__":
        return _imported([(statement.module, f"{statement.module}.{alias.name}", alias) for alias in statement.names])
    return None


def _imported(parts: list[tuple[str, str, ast.alias]]) -> set[str] | None:
    """Return the names that an import binds, or None when it may fail or has effects of its own."""
    if not all(full in _HARMLESS or _in_standard_library(module, full) for module, full, _ in parts):
        return None
    return {alias.asname or alias.name.split(".")[0] for _, _, alias in parts}


def _in_standard_library(module: str, full: str) -> bool:
    """Tell whether a module, and a name of it, is part of Python (and one that a method may import)."""
    if module.split(".")[0] not in ALLOWED_IMPORTS & sys.stdlib_module_names:
        return False
    try:
        found = importlib.import_module(module)
    except ImportError:
        return False
    return full == module or hasattr(found, full.removeprefix(f"{module}."))


def _plain_function(node: ast.FunctionDef, imported: set[str]) -> bool:
    """Tell whether defining a function does nothing but bind its name."""
    arguments = node.args
    defaults = [*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)]
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    notes = [argument.annotation for argument in every if argument is not None and argument.annotation is not None]
    notes += [node.returns] if node.returns is not None else []
    typed = all(_is_type(note, imported) for note in notes) and not getattr(node, "type_params", [])
    return not node.decorator_list and typed and all(map(_plain, defaults))


def _plain(value: ast.expr) -> bool:
    """Tell whether an expression is made of constants only, and cannot fail."""
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.op, ast.USub | ast.UAdd) and _is_number(value.operand)
    if isinstance(value, ast.Tuple | ast.List):
        return all(map(_plain, value.elts))
    if isinstance(value, ast.Dict):
        return all(isinstance(key, ast.Constant) for key in value.keys) and all(map(_plain, value.values))
    return isinstance(value, ast.Constant)


def _is_number(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, int | float)


def _is_type(note: ast.expr, imported: set[str]) -> bool:
    """Tell whether an annotation is built of types that are surely there."""
    if isinstance(note, ast.Subscript):
        generic = isinstance(note.value, ast.Name) and note.value.id in ("dict", "list", "set", "tuple")
        return generic and _is_type(note.slice, imported)
    if isinstance(note, ast.Tuple):
        return all(_is_type(part, imported) for part in note.elts)
    if isinstance(note, ast.Constant):
        return note.value is None or note.value is ...
    if isinstance(note, ast.Attribute) and isinstance(note.value, ast.Name) and note.value.id in imported:
        return (note.value.id, note.attr) in (("torch", "Tensor"), ("np", "ndarray"), ("numpy", "ndarray"))
    return isinstance(note, ast.Name) and note.id in _TYPES
