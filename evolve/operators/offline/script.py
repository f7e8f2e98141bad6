"""Reads a method's source as structure (definitions, what each uses, which are steps) and writes it back (worker only)."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

import libcst as cst

from fitness.tasks.grammar import Grammar

ENTRY = "method"
BRED = '"""A bred method."""'  # docstring of a bred file of a task without a grammar


class Unsuitable(Exception):
    """A source or a draw that an operator cannot work with; the message is a sentence."""


@dataclass(frozen=True)
class Definition:
    """One name that a module defines.

    Attributes:
        name: what it binds.
        kind: "import", "constant" (an assignment), "function", "class", or "loose" (a statement that defines nothing, such
            as a call at module level, or that defines a name which is defined again; its name is its place).
        code: its source, comments above it included.
        uses: the global names it needs.
    """

    name: str
    kind: str
    code: str
    uses: frozenset[str]

    @property
    def is_future(self) -> bool:
        """Whether it is an import that changes how the file is read, which nothing else names."""
        return self.kind == "import" and self.code.startswith("from __future__")


@dataclass(frozen=True)
class Script:
    """A method's file.

    Attributes:
        definitions: by name, in the order of the file; without `method` when it is in the grammar.
        docstring: the module's docstring as written, or "".
        grammar: that of the task, if it has one.
    """

    definitions: Mapping[str, Definition]
    docstring: str = ""
    grammar: Grammar | None = None

    @property
    def loose(self) -> tuple[str, ...]:
        """The statements that are no plain definitions."""
        return tuple(name for name, d in self.definitions.items() if d.kind == "loose")

    @property
    def grammatical(self) -> bool:
        """Whether `method` is the pipeline of its steps and can be written anew."""
        has_core = self.grammar is not None and self.grammar.core in self.definitions
        return has_core and ENTRY not in self.definitions and not self.loose

    @property
    def steps(self) -> tuple[str, ...]:
        """The kinds of step it defines with the grammar's signature, in canonical order; without a grammar, its functions."""
        if self.grammar is None:
            return tuple(name for name, d in self.definitions.items() if d.kind == "function" and name != ENTRY)
        kinds = ((kind, self.definitions.get(kind.name)) for kind in self.grammar.kinds)
        return tuple(kind.name for kind, found in kinds if found and is_step(found, len(kind.parameters)))

    def closure(self, roots: Iterable[str]) -> tuple[str, ...]:
        """Return the names that the roots need, themselves included, every name after what it needs."""
        places = {name: i for i, name in enumerate(self.definitions)}
        found: dict[str, None] = {}
        open_names: set[str] = set()

        def visit(name: str) -> None:
            if name in self.definitions and name not in found and name not in open_names:
                open_names.add(name)
                for used in sorted(self.definitions[name].uses & places.keys(), key=places.__getitem__):
                    visit(used)
                found[name] = None

        for root in roots:
            visit(root)
        return tuple(found)

    def about(self, name: str) -> str:
        """Return the first line of a function's docstring, which names its source, or that it has none."""
        node = ast.parse(self.definitions[name].code).body[0]
        text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None
        return text.splitlines()[0].rstrip(".") if text and text.strip() else "a step without a docstring"

    def pruned(self) -> Script:
        """Return it without the definitions that nothing needs."""
        futures = [name for name, d in self.definitions.items() if d.is_future and self.grammar is None]
        roots = self.steps if self.grammatical else [ENTRY, *self.loose, *futures]
        needed = set(self.closure(roots))
        return self.with_only({n: d for n, d in self.definitions.items() if n in needed})

    def changed(self, *new: Definition, without: Iterable[str] = ()) -> Script:
        """Return it with definitions added or replaced, and others gone."""
        gone = set(without)
        kept = {name: d for name, d in self.definitions.items() if name not in gone}
        return self.with_only({**kept, **{d.name: d for d in new}})

    def with_only(self, definitions: Mapping[str, Definition]) -> Script:
        """Return it with these definitions and no others, in their order."""
        return replace(self, definitions=MappingProxyType(dict(definitions)))

    def render(self, docstring: str | None = None) -> str:
        """Write the file: docstring, imports, constants, steps in canonical order after their helpers, `method`.

        A file outside the grammar keeps its own order.
        """
        if docstring is None:
            docstring = self.grammar.docstring if self.grammar else BRED
        if self.grammar is None or not self.grammatical:
            return "\n\n\n".join([*filter(None, [docstring]), *_together(self.definitions.values())]) + "\n"
        written = [self.definitions[name] for name in self.closure(self.steps)]
        imports = sorted(d.code for d in written if d.kind == "import")
        constants = [d.code for d in written if self._early(d)]
        heads = [part for part in (docstring, "\n".join(imports), "\n".join(constants)) if part]
        bodies = [d.code for d in written if d.kind != "import" and not self._early(d)]
        return "\n\n\n".join(["\n\n".join(heads), *bodies, self.grammar.pipeline(self.steps)]) + "\n"

    def _early(self, definition: Definition) -> bool:
        """Tell whether a definition is a constant that can stand before all functions."""
        used = [self.definitions[name].kind for name in definition.uses if name in self.definitions]
        return definition.kind == "constant" and all(kind in ("import", "constant") for kind in used)


@lru_cache(maxsize=4096)
def is_step(definition: Definition, parameters: int) -> bool:
    """Tell whether a definition is a function with so many plain parameters."""
    if definition.kind != "function":
        return False
    node = ast.parse(definition.code).body[0]
    if not isinstance(node, ast.FunctionDef) or node.args.kwonlyargs or node.args.vararg or node.args.kwarg:
        return False
    return len(node.args.posonlyargs) + len(node.args.args) == parameters


@lru_cache(maxsize=512)
def parse(source: str, grammar: Grammar | None = None) -> Script:
    """Read a method's source. Raises Unsuitable when it does not parse or defines no `method`."""
    try:
        compile(source, "method", "exec")
        module = cst.parse_module(source)
        docstring = module.get_docstring(clean=False)
        statements = module.body[1:] if docstring is not None else module.body
        found = [d for statement in statements for d in definitions_of(module, statement)]
    except (cst.ParserSyntaxError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unsuitable(f"it does not parse: {str(error).splitlines()[0]}") from None
    last = {d.name: i for i, d in enumerate(found)}
    kept = [d if last[d.name] == i and d.name else define(f"statement {i}", "loose", d.code) for i, d in enumerate(found)]
    definitions = {d.name: d for d in kept}
    if ENTRY not in definitions or definitions[ENTRY].kind != "function":
        raise Unsuitable("it defines no function named method")
    written = module.code_for_node(module.body[0]).strip() if docstring is not None else ""
    script = Script(MappingProxyType(definitions), written, grammar)
    return script.changed(without=[ENTRY]) if grammar and _follows(grammar, script) else script


def _follows(grammar: Grammar, script: Script) -> bool:
    steps = script.steps
    named = [name for name in grammar.order if name in script.definitions]
    if script.loose or grammar.core not in steps or list(steps) != named or _method_is_used(script):
        return False
    return _bare(script.definitions[ENTRY].code) == _bare(grammar.pipeline(steps))


def _method_is_used(script: Script) -> bool:
    return any(ENTRY in d.uses for d in script.definitions.values())


def _bare(code: str) -> str:
    """Return a function's syntax without its docstring."""
    node = ast.parse(code).body[0]
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
        node.body = node.body[1:]
    return ast.dump(node)


def definitions_in(source: str) -> list[Definition]:
    """Return what a file of a grammar's own defines."""
    module = cst.parse_module(source)
    return [d for statement in module.body for d in definitions_of(module, statement)]


def definitions_of(module: cst.Module, statement: cst.BaseStatement | cst.SimpleStatementLine) -> Iterator[Definition]:
    """Yield what a statement at module level defines; a definition without a name when it is no plain definition."""
    code = module.code_for_node(statement).strip("\n")
    if isinstance(statement, cst.FunctionDef | cst.ClassDef):
        kind = "function" if isinstance(statement, cst.FunctionDef) else "class"
        yield define(statement.name.value, kind, code)
    elif isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        small = statement.body[0]
        if isinstance(small, cst.Import | cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
            yield from _imports(module, small)
        elif isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.targets[0].target, cst.Name):
            yield define(small.targets[0].target.value, "constant", code)
        elif isinstance(small, cst.AnnAssign) and small.value is not None and isinstance(small.target, cst.Name):
            yield define(small.target.value, "constant", code)
        else:
            yield define("", "loose", code)
    else:
        yield define("", "loose", code)


def _imports(module: cst.Module, node: cst.Import | cst.ImportFrom) -> Iterator[Definition]:
    """Yield one definition for each name that an import binds."""
    assert not isinstance(node.names, cst.ImportStar)
    for alias in node.names:
        path = module.code_for_node(alias.name)
        bare = alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)
        written = module.code_for_node(node.with_changes(names=[bare], **_open(node))).strip()
        bound = module.code_for_node(alias.asname.name) if alias.asname else path.split(".")[0]
        yield Definition(bound, "import", written, frozenset())


def _open(node: cst.Import | cst.ImportFrom) -> dict[str, None]:
    return {"lpar": None, "rpar": None} if isinstance(node, cst.ImportFrom) else {}


def _together(definitions: Iterable[Definition]) -> list[str]:
    """Return the code of definitions in their order, functions and classes apart from runs of everything else."""
    parts: list[str] = []
    before = ""
    for definition in definitions:
        apart = definition.kind in ("function", "class") or before in ("", "function", "class")
        parts = [*parts, definition.code] if apart else [*parts[:-1], f"{parts[-1]}\n{definition.code}"]
        before = definition.kind
    return parts


def define(name: str, kind: str, code: str) -> Definition:
    """Return a definition with the global names that its code needs."""
    return Definition(name, kind, code, frozenset(used_globals(symtable.symtable(code, "method", "exec"))) - {name})


def used_globals(table: symtable.SymbolTable) -> Iterator[str]:
    """Yield the global names that a module's code reads."""
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module"):
            yield symbol.get_name()
    for child in table.get_children():
        yield from used_globals(child)
