"""Drops what a method does not need: the same method with less in it (operator `simplify`)."""

from __future__ import annotations

import ast
import random
from typing import TYPE_CHECKING

from evolve.operators.offline.base import Change, Material, Offline
from evolve.operators.offline.remove import Remove
from fitness.tasks.grammar import Kind

if TYPE_CHECKING:
    from evolve.operators.offline.script import Script


class Simplify(Offline):
    """Drops what nothing uses and steps that do nothing, merges equal constants, rounds; a tidy method loses a step."""

    name = "simplify"
    structural = False

    def change(self, script: Script, material: Material, rng: random.Random) -> Change:
        """Tidy up; when that leaves the method as it was, round its numbers, or take a step out."""
        tidied = merge(without_identities(script)).pruned()
        gone = len(script.definitions) - len(tidied.definitions)
        if gone:
            return Change(tidied, f"drop {gone} definitions that did nothing of their own")
        if rng.random() < 0.5 and (rounder := round_numbers(script)).definitions != script.definitions:
            return Change(rounder, "round its numbers")
        return Remove().change(script, material, rng)


def without_identities(script: Script) -> Script:
    """Return the script without steps whose body only hands its arguments on."""
    if script.grammar is None or not script.grammatical:
        return script
    kinds = [kind for kind in script.grammar.kinds if kind.name in script.steps]
    return script.changed(without=[kind.name for kind in kinds if _is_identity(kind, script.definitions[kind.name].code)])


def merge(script: Script) -> Script:
    """Return the script with one constant where a collision left two of the same value."""
    from evolve.operators.offline.splice import base_name, rename

    first: dict[tuple[str, str], str] = {}
    mapping = {}
    for name, definition in script.definitions.items():
        if definition.kind == "constant":
            value = definition.code.partition("=")[2].strip()
            kept = first.setdefault((base_name(name), value), name)
            if kept != name:
                mapping[name] = kept
    renamed = [rename(d, mapping) for d in script.definitions.values() if d.name not in mapping]
    return script.changed(*renamed, without=mapping)


def round_numbers(script: Script) -> Script:
    """Return the script with one significant digit in its fractions."""
    from evolve.operators.offline.numbers import places, put, rounded

    for place in places(script):
        if isinstance(place.value, float) and rounded(place.value) != place.value:
            script = put(script, place, rounded(place.value))
    return script


def _is_identity(kind: Kind, code: str) -> bool:
    node = ast.parse(code).body[0]
    if not isinstance(node, ast.FunctionDef) or not kind.identity:
        return False
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    expected = ast.parse(kind.identity)
    for name in ast.walk(expected):
        if isinstance(name, ast.Name) and name.id in kind.parameters:
            name.id = names[kind.parameters.index(name.id)]
    return [ast.dump(s) for s in body] == [ast.dump(s) for s in expected.body]
