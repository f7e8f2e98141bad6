"""Checks the rules a method must keep, on its libcst tree: imports, names that fail inside, the signature (worker only)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst
from libcst import matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider

from evolve.screening.capacity import carries_more
from fitness.contracts.contract import ENTRY, PARAMETER, REMEMBERED
from fitness.sandbox import ALLOWED_IMPORTS, REFUSED_IMPORTS, UNAVAILABLE

_DEFINE = f"`def {ENTRY}({PARAMETER})`"

_BLOCKS = (
    "body",
    "orelse",
    "handlers",
    "finalbody",
    "cases",
)  # the fields of a statement, or of a part of one, that hold others


def broken_rule(tree: cst.Module, source: str) -> str | None:
    """Return the first rule that a method, of this source, breaks, as a sentence with its line, or None."""
    for node, sentence in _violations(tree, source):
        return f"{_where(tree, node)}{sentence}" if node is not None else sentence
    return None


def _violations(tree: cst.Module, source: str) -> Iterator[tuple[cst.CSTNode | None, str]]:
    for found in _imports(tree.body):
        for module in _imported(found):
            if module is None:
                yield found, "relative imports are not allowed: a method is one file"
            elif refused(module):
                yield found, f"the import of {module} is not allowed: its data would be a way to read answers"
            elif module.split(".")[0] not in ALLOWED_IMPORTS:
                yield found, f"the import of {module} is not allowed: a method may import {', '.join(sorted(ALLOWED_IMPORTS))}"
    if any(name.rpartition(".")[2] in source for name in UNAVAILABLE):  # the search costs as much as the parse
        yield from _unavailable(tree)
    if carries_more(tree, source, REMEMBERED):
        written = f"it writes down more than {REMEMBERED:,} digits and bytes in collections, long numbers and texts"
        yield None, f"{written}, which is not allowed: a method computes, and carries nothing that was learnt elsewhere"
    defined = [s for s in tree.body if isinstance(s, cst.FunctionDef) and s.name.value == ENTRY]
    if not defined:
        yield None, f"there is no function named {ENTRY} at the top level: define {_DEFINE}"
        return
    node = defined[-1]
    parameters = node.params
    required = [p for p in [*parameters.posonly_params, *parameters.params] if p.default is None]
    if len(required) != 1 or any(p.default is None for p in parameters.kwonly_params):
        yield node, f"{ENTRY} takes {len(required)} required arguments, expected exactly one: {_DEFINE}"
    if node.asynchronous is not None:
        yield node, f"{ENTRY} is async, expected a plain function: {_DEFINE}"
    if "yield" in source and _yields(node):
        yield node, f"{ENTRY} is a generator: return the answer instead of yielding"


def refused(module: str) -> bool:
    """Tell whether a dotted module is refused although its package is allowed."""
    return any(module == name or module.startswith(name + ".") for name in REFUSED_IMPORTS)


def _imported(node: cst.CSTNode) -> Iterator[str | None]:
    """Yield the dotted names an import statement may bind; None for a relative import."""
    if isinstance(node, cst.Import):
        for alias in node.names:
            yield _dotted(alias.name)
    elif isinstance(node, cst.ImportFrom):
        if node.relative or node.module is None:
            yield None
            return
        module = _dotted(node.module)
        yield module
        if not isinstance(node.names, cst.ImportStar):
            for alias in node.names:
                full = f"{module}.{_dotted(alias.name)}"
                if refused(full):
                    yield full


def _unavailable(tree: cst.Module) -> Iterator[tuple[cst.CSTNode, str]]:
    """Yield where a name that fails inside is imported, or reached through what was imported."""
    bound: dict[str, str] = {}
    used: list[tuple[cst.CSTNode, str]] = []
    for found in _imports(tree.body):
        for local, name in _bindings(found):
            bound[local or name.split(".")[0]] = name if local else name.split(".")[0]
            used.append((found, name))
    for node in m.findall(tree, m.Attribute()):
        root, *rest = _dotted(cst.ensure_type(node, cst.Attribute)).split(".")
        used.append((node, ".".join([bound.get(root, "?"), *rest])))
    for node, name in used:
        for known, why in UNAVAILABLE.items():
            if name == known or name.startswith(known + "."):
                yield node, f"{known} does not work in the sandbox: {why}"


def _bindings(node: cst.Import | cst.ImportFrom) -> Iterator[tuple[str | None, str]]:
    """Yield what an import statement binds: the local name, None for the package of a dotted one, and what it stands for."""
    if isinstance(node.names, cst.ImportStar):
        return
    parent = f"{_dotted(node.module)}." if isinstance(node, cst.ImportFrom) and node.module else ""
    for alias in node.names:
        local = _dotted(alias.asname.name) if alias.asname and isinstance(alias.asname.name, cst.Name) else None
        name = _dotted(alias.name)
        yield local or (name if parent else None), parent + name


def _dotted(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else "?"


def _imports(statements: Sequence[cst.CSTNode]) -> Iterator[cst.Import | cst.ImportFrom]:
    """Yield the import statements among statements and in all blocks inside them."""
    for statement in statements:
        if isinstance(statement, cst.SimpleStatementLine | cst.SimpleStatementSuite):
            yield from (small for small in statement.body if isinstance(small, cst.Import | cst.ImportFrom))
            continue
        for part in _BLOCKS:
            inner = getattr(statement, part, None)
            if inner is not None:
                yield from _imports(inner if isinstance(inner, Sequence) else [inner])


class _Yields(cst.CSTVisitor):
    def __init__(self) -> None:
        self.found, self._depth = False, 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self._depth += 1
        return self._depth == 1

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self._depth -= 1

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False

    def visit_Yield(self, node: cst.Yield) -> None:
        self.found = True


def _yields(node: cst.FunctionDef) -> bool:
    visitor = _Yields()
    node.visit(visitor)
    return visitor.found


def _where(tree: cst.Module, node: cst.CSTNode) -> str:
    """Return "line N: ", resolving positions only when a rule was broken: they cost more than the parse."""
    wrapper = MetadataWrapper(tree, unsafe_skip_copy=True)
    return f"line {wrapper.resolve(PositionProvider)[node].start.line}: "
