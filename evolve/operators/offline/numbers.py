"""Finds a method's numbers: which may be changed, within which bounds, and how long a method with them would run."""

from __future__ import annotations

import ast
import math
import random
from dataclasses import dataclass
from functools import lru_cache

import libcst as cst

from evolve.operators.offline.script import Definition, Script, define
from evolve.operators.offline.splice import base_name
from fitness.tasks.grammar import Grammar, Pace

SPREAD = 0.7  # standard deviation of a change, in nats
LEAP = 0.15  # share of changes that draw anew from the whole range
HUGE = 1e9  # no setting is as large; arithmetic on what is could overflow
UNTOUCHED = frozenset({"dim", "axis", "seed", "random_state", "n_classes"})  # keywords whose numbers are structure


@dataclass(frozen=True)
class Place:
    """A number in a method.

    Attributes:
        definition: name of the definition it is in.
        index: its place among that definition's numbers.
        value: the number.
        name: the constant's name, "" for a bare literal.
    """

    definition: str
    index: int
    value: int | float
    name: str


def places(script: Script) -> list[Place]:
    """Return the numbers that may be changed: named constants, and literals inside functions that are no structure."""
    return [place for definition in script.definitions.values() for place in _places(definition)]


def named(script: Script) -> dict[str, float]:
    """Return the named numeric constants, by name."""
    constants = [d for d in script.definitions.values() if d.kind == "constant"]
    return {place.name: place.value for d in constants for place in _places(d) if place.name}


def moved(place: Place, grammar: Grammar | None, rng: random.Random) -> int | float:
    """Draw a new value: a step in the logarithm (in the logit, between 0 and 1), or now and then anything in its range."""
    low, high = bounds(place, grammar)
    if rng.random() < LEAP:
        value = math.exp(rng.uniform(math.log(low), math.log(high)))
    elif isinstance(place.value, float) and 0 < place.value < 1 and high <= 1:
        value = 1 / (1 + math.exp(-(math.log(place.value / (1 - place.value)) + rng.gauss(0, 1.5 * SPREAD))))
    else:
        value = place.value * math.exp(rng.gauss(0, SPREAD))
    value = min(max(value, low), high)
    if isinstance(place.value, int):
        whole = round(value)
        whole += 0 if whole != place.value else rng.choice([-1, 1])
        return min(max(whole, math.ceil(low)), math.floor(high))
    return float(f"{value:.3g}")


def rounded(value: float) -> float:
    """Return a fraction with one significant digit."""
    return float(f"{value:.1g}")


def put(script: Script, place: Place, value: int | float) -> Script:
    """Return the script with one number changed."""
    definition = script.definitions[place.definition]
    code = cst.parse_module(definition.code).visit(_Put(place.index, repr(value))).code
    return script.changed(define(definition.name, definition.kind, code))


def slow(script: Script, parent: Script) -> bool:
    """Tell whether a child would run longer than any method should, and longer than its parent."""
    pace = script.grammar.pace if script.grammar else None
    return pace is not None and cost(script, pace) > max(pace.slowest, cost(parent, pace))


def cost(script: Script, pace: Pace) -> float:
    """Estimate how long a method runs, from the constants people name so."""
    numbers = [(base_name(name), value) for name, value in named(script).items()]
    repeats = math.prod(value for name, value in numbers if name in pace.repeats)
    work = sum(sum(base + each * value for name, value in numbers if name == added) for added, base, each in pace.adds)
    return float(pace.once + repeats * max(pace.least, work))


def bounds(place: Place, grammar: Grammar | None) -> tuple[float, float]:
    """Return the sane range of a number: by its name where the grammar knows it, else within a factor of four."""
    for name, low, high in grammar.bounds if grammar else ():
        if name == base_name(place.name):
            return low, high
    if isinstance(place.value, int):
        return max(1, place.value // 4), 4 * place.value
    if place.value <= 1:
        return min(0.01, place.value / 4), 1.0 if place.name else 0.99
    return place.value / 4, 4 * place.value


def _constant(definition: Definition) -> bool:
    """Tell whether a definition is a plain positive number with a name."""
    if definition.kind != "constant":
        return False
    node = ast.parse(definition.code).body[0]
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    plain = isinstance(value, ast.Constant) and isinstance(value.value, int | float) and not isinstance(value.value, bool)
    return plain and isinstance(value, ast.Constant) and 0 < value.value < HUGE  # type: ignore[operator]  # plain says it is a number


def _structural(value: int | float) -> bool:
    """Tell whether a bare literal is likely to be part of the structure rather than a setting."""
    return value in (0, 1, 2, 0.5) or not 1e-3 <= value <= 1e6


@lru_cache(maxsize=4096)
def _places(definition: Definition) -> tuple[Place, ...]:
    """Return the numbers of one definition that may be changed."""
    if definition.kind == "import":
        return ()
    collector, constant = Collect(), _constant(definition)
    cst.parse_module(definition.code).visit(collector)
    values = [ast.literal_eval(node.value) for node in collector.found]
    name = definition.name if constant else ""
    return tuple(Place(definition.name, i, v, name) for i, v in enumerate(values) if constant or not _structural(v))


class _Settings:
    """Walks past the literals that are structure: subscripts, negative numbers (axes), some keywords, and past seeds."""

    def visit_Call(self, node: cst.Call) -> bool:
        called = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        return not (isinstance(called, cst.Name) and "seed" in called.value.lower())

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        return node.keyword is None or node.keyword.value not in UNTOUCHED

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> bool:
        return not isinstance(node.operator, cst.Minus)


class Collect(_Settings, cst.CSTVisitor):
    """Collects the literals that `places` counts, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.Integer | cst.Float] = []

    def visit_Integer(self, node: cst.Integer) -> None:
        """Take a whole number."""
        self.found.append(node)

    def visit_Float(self, node: cst.Float) -> None:
        """Take a fraction."""
        self.found.append(node)


class _Put(_Settings, cst.CSTTransformer):
    """Replaces one of the literals that `Collect` finds."""

    def __init__(self, index: int, text: str) -> None:
        super().__init__()
        self._left, self._text = index, text

    def leave_Integer(self, original_node: cst.Integer, updated_node: cst.Integer) -> cst.BaseExpression:
        return self._next(updated_node)

    def leave_Float(self, original_node: cst.Float, updated_node: cst.Float) -> cst.BaseExpression:
        return self._next(updated_node)

    def _next(self, node: cst.Integer | cst.Float) -> cst.BaseExpression:
        self._left -= 1
        return cst.parse_expression(self._text) if self._left == -1 else node
