"""Moves a step between files: with its helpers, constants and imports, renamed where they collide (worker only)."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import libcst as cst

from evolve.operators.offline.script import ENTRY, Definition, Script, Unsuitable, define, definitions_in


def splice(script: Script, kind: str, donor: Script) -> Script:
    """Put the donor's step of a kind into a script of the grammar. Raises Unsuitable when it would be idle there."""
    assert script.grammar is not None
    base = _without_core(script, kind) if kind == script.grammar.core else script.changed(without=[kind]).pruned()
    brought = renamed(donor, kind, base)
    child = base.changed(*brought).pruned()
    if idle := idle_steps(child):
        raise Unsuitable(f"the step {idle[0]} would do nothing there: no step uses it")
    return child


def remove(script: Script, kind: str) -> Script:
    """Take a step out of a script of the grammar; its kind becomes the identity."""
    return script.changed(without=[kind]).pruned()


def adopt(script: Script) -> Script:
    """Bring any method into the grammar: the whole of it becomes a core. Raises Unsuitable when it cannot be wrapped."""
    grammar = script.grammar
    if grammar is None or script.grammatical:
        return script
    if script.loose:
        raise Unsuitable("it has statements at module level that define nothing, or a name twice")
    if "whole" in script.definitions:
        raise Unsuitable("it uses the name whole for something else")
    empty = Script({}, grammar=grammar)
    whole = renamed(script, ENTRY, empty, {ENTRY: "whole"})
    around = definitions_in(grammar.adopting)
    taken = [own.name for own in around for d in whole if d.name == own.name and d.code != own.code]
    if taken:
        raise Unsuitable(f"it uses the name {taken[0]} for something else")
    imports = [d for d in around if d.kind == "import"]
    return empty.changed(*imports, *whole, *(d for d in around if d.kind != "import"))


def idle_steps(script: Script) -> tuple[str, ...]:
    """Return the steps that the pipeline hands over but nothing reads, because the core ignores what they make."""
    assert script.grammar is not None
    core = script.grammar.kind(script.grammar.core)
    assert core is not None
    position = {kind.name: core.parameters.index(kind.read_as) for kind in script.grammar.kinds if kind.read_as}
    return tuple(k for k in sorted(position) if k in script.steps and not _reads(script.definitions[core.name], position[k]))


def _reads(core: Definition, position: int) -> bool:
    node = ast.parse(core.code).body[0]
    assert isinstance(node, ast.FunctionDef)
    parameter = [*node.args.posonlyargs, *node.args.args][position].arg
    return any(isinstance(n, ast.Name) and n.id == parameter for statement in node.body for n in ast.walk(statement))


def _without_core(script: Script, core: str) -> Script:
    """Return a script without its core and what only the core needs; it is not in the grammar until it has another."""
    others = [name for name in script.steps if name != core]
    needed = set(script.closure(others)) - {core}
    return script.changed(without=[name for name in script.definitions if name not in needed])


def renamed(donor: Script, root: str, base: Script, names: Mapping[str, str] | None = None) -> list[Definition]:
    """Return the donor's definition of `root` and all it needs, renamed so that they mean the same beside the base's.

    A helper that carries the name of a step is always renamed: only `root` is to become a step.
    """
    mapping = dict(names or {})
    closure = donor.closure([root])
    while True:
        moved = {name: rename(donor.definitions[name], mapping) for name in closure}
        clash = next((n for n, d in moved.items() if n not in mapping and n != root and _clashes(d, base)), None)
        if clash is None:
            return list(moved.values())
        if donor.definitions[clash].kind == "import":
            raise Unsuitable(f"both files import something else as {clash}")
        taken = {*base.definitions, *donor.definitions, *mapping.values(), *_reserved(base)}
        mapping[clash] = fresh(clash, taken)


def _reserved(script: Script) -> frozenset[str]:
    return frozenset({ENTRY, *(script.grammar.order if script.grammar else ())})


def _clashes(definition: Definition, base: Script) -> bool:
    if definition.name in _reserved(base):
        return True
    own = base.definitions.get(definition.name)
    return own is not None and own.code != definition.code


def fresh(name: str, taken: set[str]) -> str:
    """Return the name with the first free number behind it."""
    stem = base_name(name)
    number = 2
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def base_name(name: str) -> str:
    """Return a name without the number that a collision gave it."""
    stem, _, number = name.rpartition("_")
    return stem if stem and number.isdigit() else name


def rename(definition: Definition, mapping: Mapping[str, str]) -> Definition:
    """Rename global names in a definition."""
    relevant = {old: new for old, new in mapping.items() if old in definition.uses or old == definition.name}
    if not relevant:
        return definition
    code = cst.parse_module(definition.code).visit(_Renamer(relevant)).code
    return define(relevant.get(definition.name, definition.name), definition.kind, code)


class _Renamer(cst.CSTTransformer):
    """Renames every use of a name except where a parameter shadows it; attributes and keywords are left alone."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        super().__init__()
        self._mapping, self._shadows, self._classes = mapping, list[frozenset[str]](), [False]

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._classes.append(True)

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        self._classes.pop()
        return updated_node.with_changes(name=self._new(original_node.name))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._shadows.append(_parameters(node.params))
        self._classes.append(False)

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._shadows.pop()
        self._classes.pop()
        name = original_node.name.value
        hidden = self._classes[-1] or any(name in shadow for shadow in self._shadows)
        return updated_node.with_changes(name=original_node.name if hidden else self._new(original_node.name))

    def visit_Lambda(self, node: cst.Lambda) -> None:
        self._shadows.append(_parameters(node.params))

    def leave_Lambda(self, original_node: cst.Lambda, updated_node: cst.Lambda) -> cst.Lambda:
        self._shadows.pop()
        return updated_node

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        return True

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        if any(original_node.value in shadow for shadow in self._shadows):
            return updated_node
        return self._new(original_node)

    def _new(self, node: cst.Name) -> cst.Name:
        return node.with_changes(value=self._mapping.get(node.value, node.value))


def _parameters(parameters: cst.Parameters) -> frozenset[str]:
    every = [*parameters.posonly_params, *parameters.params, *parameters.kwonly_params]
    stars = [p for p in (parameters.star_arg, parameters.star_kwarg) if isinstance(p, cst.Param)]
    return frozenset(p.name.value for p in [*every, *stars])
