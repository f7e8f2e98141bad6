"""Repairs a model's file without changing what it does, so that a paid reply is not lost for a slip (worker only).

It drops what a file does only when run as a program, and adds imports that are used but missing, from the methods shown.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator, Sequence

import libcst as cst
from libcst import matchers as m

from evolve.operators.offline.script import used_globals
from evolve.screening.rules import refused
from fitness.sandbox import ALLOWED_IMPORTS

_MAIN = m.SimpleString(value=m.MatchIfTrue(lambda text: text.strip("'\"") == "__main__"))
_NAME = m.Name("__name__")
PROGRAM = m.If(
    test=m.Comparison(left=_NAME, comparisons=[m.ComparisonTarget(operator=m.Equal(), comparator=_MAIN)])
    | m.Comparison(left=_MAIN, comparisons=[m.ComparisonTarget(operator=m.Equal(), comparator=_NAME)]),
    orelse=None,
)
PRINT = m.SimpleStatementLine(body=[m.Expr(value=m.Call(func=m.Name("print")))])
PURE = frozenset({"print", "len", "str", "repr", "type", "round", "float", "int", "bool", "min", "max", "sum", "sorted"})
GIVEN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


def repaired(source: str, others: Sequence[str]) -> dict[str, str]:
    """Return {"source": the repaired file}."""
    return {"source": repair(source, others)}


def repair(source: str, others: Sequence[str]) -> str:
    """Return the file repaired with what `others` import; unchanged, to the byte, when nothing needs repair."""
    try:
        compile(source, "method", "exec")
        if "__main__" not in source and "print" not in source and not _forgotten(source, others):
            return source
        found = _without_program(cst.parse_module(source))
        lines = _forgotten(found.code, others)
        if not lines and found.code == source:
            return source
        child = _with_imports(found, lines).code
        compile(child, "method", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError, cst.ParserSyntaxError):
        return source
    return child


def _without_program(module: cst.Module) -> cst.Module:
    """Drop `if __name__ == "__main__":` and the prints at module level; both do nothing for who imports the file."""
    own_print = "print" in _bound(symtable.symtable(module.code, "method", "exec"))

    def idle(statement: cst.CSTNode) -> bool:
        return m.matches(statement, PROGRAM) or (not own_print and m.matches(statement, PRINT) and _pure(statement))

    kept = [statement for statement in module.body if not idle(statement)]
    return module.with_changes(body=kept) if len(kept) < len(module.body) else module


def _pure(statement: cst.CSTNode) -> bool:
    """Tell whether nothing but printing happens in a statement."""
    called = [call.func for call in m.findall(statement, m.Call()) if isinstance(call, cst.Call)]
    quiet = not m.findall(statement, m.NamedExpr() | m.Await() | m.Yield())
    return quiet and all(isinstance(func, cst.Name) and func.value in PURE for func in called)


def _forgotten(source: str, others: Sequence[str]) -> list[str]:
    """Return the imports that bind what the file uses and nothing in it binds, from the first of the others that has them."""
    table = symtable.symtable(source, "method", "exec")
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(ast.parse(source))):
        return []  # who knows what it binds
    missing = set(used_globals(table)) - _bound(table) - GIVEN
    lines: dict[str, None] = {}
    for name in sorted(missing):
        found = (list(_imports(other, name)) for other in others)
        lines |= dict.fromkeys(next(filter(None, found), []))
    return list(lines)


def _bound(table: symtable.SymbolTable) -> set[str]:
    """Return the global names that a module binds, those that its functions declare global among them."""
    top = table.get_type() == "module"
    own = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if (symbol.is_assigned() or symbol.is_imported()) and (top or symbol.is_declared_global())
    }
    return own.union(*(_bound(child) for child in table.get_children()))


def _imports(source: str, name: str) -> Iterator[str]:
    """Yield the allowed imports at the top level of a file that bind a name, one alias each."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name.split(".")[0]) == name and _allowed(alias.name):
                    yield ast.unparse(ast.Import([alias]))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module != "__future__":
            for alias in node.names:
                if (alias.asname or alias.name) == name and _allowed(node.module) and _allowed(f"{node.module}.{alias.name}"):
                    yield ast.unparse(ast.ImportFrom(node.module, [alias], 0))


def _allowed(module: str) -> bool:
    return module.split(".")[0] in ALLOWED_IMPORTS and not refused(module)


def _with_imports(module: cst.Module, lines: Sequence[str]) -> cst.Module:
    """Put imports before everything but the docstring and what comes from __future__."""
    future = m.SimpleStatementLine(body=[m.ImportFrom(module=m.Name("__future__"))])
    place = 0 if module.get_docstring(clean=False) is None else 1
    while place < len(module.body) and m.matches(module.body[place], future):
        place += 1
    new = [cst.ensure_type(cst.parse_statement(line), cst.SimpleStatementLine) for line in lines]
    if new and place:
        new[0] = new[0].with_changes(leading_lines=[cst.EmptyLine(indent=False)])
    return module.with_changes(body=[*module.body[:place], *new, *module.body[place:]])
