"""Finds the numbers of a file where they stand in it, each with its place among those of its canonical form (worker only)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from evolve.operators.offline.numbers import Collect, Place, places
from evolve.operators.offline.script import Script, definitions_of
from evolve.screening.canonical import canonical

MARK = 10**15  # numbers from here on mark literals: whole, exact as floats, and larger than any setting


@dataclass(frozen=True)
class Literal:
    """A number that may be changed.

    Attributes:
        place: what it is.
        node: the literal in the file's tree.
        index: which of the canonical form's numbers it is.
    """

    place: Place
    node: cst.Integer | cst.Float
    index: int


def literals(module: cst.Module, script: Script) -> list[Literal]:
    """Return the literals of a file that `places` finds in its script."""
    found = list(_located(module, places(script)))
    marked = write(module, [node for _, node in found], [MARK + i for i in range(len(found))])
    numbers = canonical(marked).constants
    known = {number: index for index, number in enumerate(numbers) if numbers.count(number) == 1}
    return [Literal(place, node, known[MARK + i]) for i, (place, node) in enumerate(found) if MARK + i in known]


def write(module: cst.Module, nodes: Sequence[cst.Integer | cst.Float], values: Sequence[int | float]) -> str:
    """Return the file with other numbers at these literals, and nothing else changed; what was a fraction stays one."""
    texts = {n: repr(float(v)) if isinstance(n, cst.Float) else repr(v) for n, v in zip(nodes, values, strict=True)}
    return module.visit(_Write(texts)).code


def _located(module: cst.Module, wanted: Sequence[Place]) -> list[tuple[Place, cst.Integer | cst.Float]]:
    by_definition: dict[str, list[Place]] = {}
    for place in wanted:
        by_definition.setdefault(place.definition, []).append(place)
    found: dict[str, list[tuple[Place, cst.Integer | cst.Float]]] = {}
    for statement in module.body:
        for definition in definitions_of(module, statement):
            if definition.kind != "import" and definition.name in by_definition:
                collector = Collect()
                statement.visit(collector)
                named = by_definition[definition.name]
                found[definition.name] = [(p, collector.found[p.index]) for p in named if p.index < len(collector.found)]
    return [pair for pairs in found.values() for pair in pairs]  # of a name that is defined twice, the last


class _Write(cst.CSTTransformer):
    def __init__(self, texts: Mapping[cst.Integer | cst.Float, str]) -> None:
        super().__init__()
        self._texts = texts

    def leave_Integer(self, original_node: cst.Integer, updated_node: cst.Integer) -> cst.BaseExpression:
        return self._new(original_node, updated_node)

    def leave_Float(self, original_node: cst.Float, updated_node: cst.Float) -> cst.BaseExpression:
        return self._new(original_node, updated_node)

    def _new(self, original: cst.Integer | cst.Float, updated: cst.Integer | cst.Float) -> cst.BaseExpression:
        return updated.with_changes(value=self._texts[original]) if original in self._texts else updated
