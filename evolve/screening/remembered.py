"""Finds where a source could keep constants that were fitted elsewhere, and how much (worker only; scrambling.py uses it).

A method that carries what somebody learnt elsewhere must write it down: as a collection of numbers, as terms of a sum, as
statements that repeat each other but for a number, as text, as a long number, as the seed of a generator, or, when it looks at
itself, in its names and comments. Single settings are no such place, and neither are the two or three numbers of a formula.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import libcst as cst

LEAST = 4  # different numbers from which a collection, a sum or a repetition could be a fitted vector
NAMED = 6  # of keywords and defaults, which settings are mostly written as
DIGITS = 6  # of one number, from which it holds more than a setting
LETTERS = 8  # bytes of a text
_PLAIN = {0.0, 0.5, 1.0, 2.0}  # in formulas
_SEEDED = {"manual_seed", "default_rng", "RandomState", "seed", "Random", "SeedSequence", "PCG64", "Philox", "MT19937"}
_SETTINGS = ("#", "_=#", "_:_=#")  # shapes of what is said once
_SEEDS = ("random_state", "seed")  # keywords
INNER = re.compile(r"__\w+__|co_\w+|f_\w+")  # attributes with which a source looks at itself, and names
LOOKS = {"globals", "locals", "vars", "dir", "inspect", "linecache", "open", "__doc__", "__name__", "__annotations__"}

Number = cst.Integer | cst.Float | cst.Imaginary


class Leaf(NamedTuple):
    """A constant in a source: a number, a truth value, or a text that stands among others; `sign` is -1 under a minus."""

    node: cst.CSTNode
    sign: int

    @property
    def value(self) -> float | str:
        """The number with its sign; of an imaginary one, its size."""
        return self.sign * _size(self.node) if isinstance(self.node, Number) else text_of(self.node)


class Places:
    """The places of a module.

    Attributes:
        groups: numbers that stand together.
        alone: numbers that hold much by themselves: long ones, and seeds of generators.
        texts: texts that hold something, and comments where the source looks at itself.
        names: the names of the source's own, where it looks at itself.
        size: what all of them hold, in digits and bytes; an element of a collection counts for one at least.
    """

    def __init__(self, module: cst.Module) -> None:
        nodes = list(walk(module))
        self._bound, functions = _bound(nodes), [node for node in nodes if isinstance(node, cst.FunctionDef)]
        self._seeding = {name: places for function in functions for name, places in _seeding(function).items()}
        looks = any(_looks_at_itself(node) for node in nodes)
        self.groups = [group for node in nodes for group in self._grouped(node)]
        grouped = {leaf.node for group in self.groups for leaf in group}
        seeds = {leaf.node for node in nodes for leaf in self._seeds(node)}
        alone = {node for node in nodes if isinstance(node, Number) and (node in seeds or _digits(node) >= DIGITS)}
        self.alone = [node for node in nodes if isinstance(node, Number) and node in alone - grouped]
        quiet = set[int]() if looks else {id(node) for node in _docstrings(nodes)}
        self.texts = _held([n for n in nodes if _is_text(n) and id(n) not in quiet])
        self.texts += [n for n in nodes if looks and isinstance(n, cst.Comment)]
        own = _own_names(nodes) if looks else set[str]()
        self.names = [n for n in nodes if isinstance(n, cst.Name) and n.value in own]
        self.size = self._size(grouped, [element for node in nodes for element in _elements(node)])

    def _size(self, grouped: set[cst.CSTNode], elements: Sequence[cst.CSTNode]) -> int:
        numbers = grouped.union(self.alone, elements) - set(self.texts)
        digits = sum(max(1, _digits(node)) if isinstance(node, Number) else 1 for node in numbers)
        return digits + sum(map(_length, self.texts)) + len("".join({text_of(node) for node in self.names}))

    def _grouped(self, node: cst.CSTNode) -> Iterator[list[Leaf]]:
        """Yield the numbers that stand together in one node: a collection, a sum, a call, a repetition."""
        if isinstance(node, cst.List | cst.Tuple | cst.Set | cst.Dict):
            yield from _many(self._leaves(node.elements), LEAST)
            yield from self._repeated([one.value for one in node.elements])
        elif isinstance(node, cst.BinaryOperation | cst.IfExp):
            yield from _many(_unusual(self._leaves([node])), LEAST)
        elif isinstance(node, cst.Call):
            placed = [a for a in node.args if a.keyword is None]
            yield from _many(self._leaves(placed), LEAST)
            yield from _many(_unusual(self._leaves([node])), LEAST)
            yield from _many(_unusual(self._leaves(placed, deep=True)), NAMED)
            yield from _many(self._leaves([a for a in node.args if a.keyword is not None]), NAMED)
        elif isinstance(node, cst.Parameters):
            given = [p.default for p in (*node.params, *node.kwonly_params, *node.posonly_params) if p.default]
            yield from _many(self._leaves(given), NAMED)
        elif isinstance(node, cst.Module | cst.IndentedBlock | cst.Match | cst.If):
            yield from self._repeated(_siblings(node))
        elif isinstance(node, cst.ClassDef):
            values = [one.value for one in walk(node.body) if isinstance(one, cst.Assign)]
            yield from _many([leaf for value in values for leaf in self._leaves([value])], LEAST)

    def _repeated(self, siblings: Sequence[cst.CSTNode]) -> Iterator[list[Leaf]]:
        """Yield the numbers of siblings that are alike but for numbers and names; plain settings are no repetition."""
        shapes = [_shape(one) for one in siblings]
        for shape, times in Counter(shapes).items():
            if times >= LEAST and "#" in shape and shape not in _SETTINGS:
                alike = [one for one, other in zip(siblings, shapes) if other == shape]
                yield from _many([Leaf(n, 1) for one in alike for n in walk(one) if isinstance(n, Number)], LEAST)

    def _leaves(self, nodes: Sequence[cst.CSTNode], sign: int = 1, deep: bool = False) -> list[Leaf]:
        """Return the constants of an expression that are data: in nested collections and operations, in calls of one number.

        With `deep`, in calls of several, too.
        """
        found: list[Leaf] = []
        for node in nodes:
            if isinstance(node, Number | cst.SimpleString) or text_of(node) in ("True", "False"):
                found.append(Leaf(node, sign))
            elif isinstance(node, cst.Name):
                found += [Leaf(leaf.node, sign * leaf.sign) for leaf in self._bound.get(node.value, [])]
            elif isinstance(node, cst.UnaryOperation):
                found += self._leaves([node.expression], -sign if isinstance(node.operator, cst.Minus) else sign, deep)
            else:
                found += self._leaves(_parts(node, deep), sign, deep)
        return found

    def _seeds(self, node: cst.CSTNode) -> list[Leaf]:
        """Return the numbers that a generator is seeded with, where the seed is nothing else."""
        if not isinstance(node, cst.Call):
            return []
        name, places = _called(node), self._seeding.get(_called(node), set())
        given = [
            argument
            for place, argument in enumerate(node.args)
            if name in _SEEDED or place in places or (argument.keyword and argument.keyword.value in (*_SEEDS, *places))
        ]
        free = {n.value for a in given for n in walk(a.value) if isinstance(n, cst.Name)} - self._bound.keys()
        return [] if free else [Leaf(leaf.node, 1) for leaf in self._leaves(given)]


def _elements(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Return what stands in a collection that is long enough to be a vector, without its sign."""
    if not isinstance(node, cst.List | cst.Tuple | cst.Set | cst.Dict) or len(node.elements) < LEAST:
        return []
    return [v.expression if isinstance(v, cst.UnaryOperation) else v for v in (one.value for one in node.elements)]


def _many(leaves: Sequence[Leaf], least: int) -> Iterator[list[Leaf]]:
    """Yield the numbers, each once, when there are enough different ones."""
    once = list({leaf.node: leaf for leaf in leaves}.values())
    if len({leaf.value for leaf in once}) >= least or (len(once) >= 2 * least and len({x.value for x in once}) > 1):
        yield once


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield a node and all below it, in the order of the text."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed(one.children)


def _bound(nodes: Sequence[cst.CSTNode]) -> dict[str, list[Leaf]]:
    """Return the names that are bound once in all, to a number, with that number."""
    times = Counter(target.value for node in nodes for target in _targets(node))
    bound = dict[str, list[Leaf]]()
    for node in nodes:
        for target in _targets(node):
            value = getattr(node, "value", None)
            minus = isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus)
            number = value.expression if isinstance(value, cst.UnaryOperation) else value
            if times[target.value] == 1 and isinstance(number, Number):
                bound[target.value] = [Leaf(number, -1 if minus else 1)]
    return bound


def _parts(node: cst.CSTNode, deep: bool) -> Sequence[cst.CSTNode]:
    """Return the parts of an expression that its value is made of."""
    if isinstance(node, cst.BinaryOperation):
        return [node.left, node.right]
    if isinstance(node, cst.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, cst.List | cst.Tuple | cst.Set | cst.Dict):
        return node.elements
    if isinstance(node, cst.DictElement):
        return [node.value] if isinstance(node.key, cst.SimpleString) else [node.key, node.value]
    if isinstance(node, cst.Element | cst.Arg | cst.StarredElement | cst.NamedExpr):
        return [node.value]
    if isinstance(node, cst.Call):
        chained = [node.func.value] if isinstance(node.func, cst.Attribute) else []
        return [*chained, *(a for a in node.args if a.keyword is None and (deep or len(node.args) == 1))]
    return []


def _called(node: cst.Call) -> str:
    """Return the last name of what is called."""
    return text_of(node.func.attr if isinstance(node.func, cst.Attribute) else node.func)


def _seeding(function: cst.FunctionDef) -> dict[str, set[int | str]]:
    """Return, by the function's name, the places and names of the parameters that it seeds a generator with."""
    names = [parameter.name.value for parameter in function.params.params]
    calls = [node for node in walk(function.body) if isinstance(node, cst.Call) and _called(node) in _SEEDED]
    used = {text_of(n) for call in calls for a in call.args for n in walk(a.value) if isinstance(n, cst.Name)}
    known = {place: name for place, name in enumerate(names) if name in used and name != "problem"}
    return {function.name.value: {*known, *known.values()}} if known else {}


def _unusual(leaves: Sequence[Leaf]) -> list[Leaf]:
    """Return the numbers that are not in every formula."""
    return [leaf for leaf in leaves if isinstance(leaf.value, float) and abs(leaf.value) not in _PLAIN]


def _targets(node: cst.CSTNode) -> list[cst.Name]:
    targets: list[cst.BaseExpression] = []
    if isinstance(node, cst.Assign):
        targets = [one.target for one in node.targets]
    elif isinstance(node, cst.AnnAssign | cst.AugAssign | cst.NamedExpr | cst.For):
        targets = [node.target]
    elif isinstance(node, cst.Param):
        targets = [node.name]
    return [n for target in targets for n in walk(target) if isinstance(n, cst.Name)]


def _siblings(node: cst.Module | cst.IndentedBlock | cst.Match | cst.If) -> list[cst.CSTNode]:
    """Return statements of one block, single ones apart; the cases of a match, the branches of an if."""
    if isinstance(node, cst.Match):
        return list(node.cases)
    if isinstance(node, cst.If):
        branches: list[cst.CSTNode] = []
        branch: cst.CSTNode | None = node
        while isinstance(branch, cst.If):
            branches.append(branch.with_changes(orelse=None, leading_lines=()))
            branch = branch.orelse
        return [b for b in branches if len(branches) >= LEAST]
    return [s for one in node.body for s in (one.body if isinstance(one, cst.SimpleStatementLine) else [one])]


def _shape(node: cst.CSTNode) -> str:
    """Return the code of a node without blanks, its numbers and names masked."""
    code = cst.Module([]).code_for_node(node).strip().removeprefix("el").rstrip("; \n")
    masked = re.sub(r"[A-Za-z_]\w*", "_", re.sub(r"-?(?<![\w.])\.?[0-9][\w.]*", "#", code))
    return re.sub(r"\s", "", masked)


def _size(node: Number) -> float:
    try:
        return float(abs(node.evaluated_value)) if not isinstance(node, cst.Imaginary) else float(node.value[:-1])
    except (OverflowError, ValueError):
        return float("inf")


def _digits(node: Number) -> int:
    """Return how many digits a number has that say something: 1000000, 1e-12 and 0.001 have one."""
    if node.value[:2].lower() in ("0x", "0b", "0o"):
        return len(node.value) - 2
    return len(re.sub(r"[eEjJ].*", "", node.value).replace("_", "").replace(".", "").strip("0"))


def _docstrings(nodes: Sequence[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield the texts that are statements by themselves: nobody can read them who does not look."""
    for node in nodes:
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString | cst.ConcatenatedString):
            yield from walk(node.value)


def _is_text(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleString | cst.FormattedStringText)


def text_of(node: cst.CSTNode) -> str:
    """Return what a text, a comment or a name holds."""
    return value if isinstance(value := getattr(node, "value", ""), str) else ""


def _looks_at_itself(node: cst.CSTNode) -> bool:
    """Tell whether a node reads the source itself: an attribute such as __doc__ or co_names, or a listing of names."""
    if isinstance(node, cst.Attribute):
        return INNER.fullmatch(node.attr.value) is not None
    return isinstance(node, cst.Name) and (node.value in LOOKS)


def _own_names(nodes: Sequence[cst.CSTNode]) -> set[str]:
    """Return the names that a source makes up: what it binds, but for what others know, as keywords or attributes."""
    made = {target.value for node in nodes for target in _targets(node)}
    made |= {node.name.value for node in nodes if isinstance(node, cst.FunctionDef | cst.ClassDef)}
    told = {node.keyword.value for node in nodes if isinstance(node, cst.Arg) and node.keyword}
    told |= {node.attr.value for node in nodes if isinstance(node, cst.Attribute)}
    return made - told - {"method", "problem"}


def _length(text: cst.CSTNode) -> int:
    """Return how many bytes a text holds."""
    held = text.evaluated_value if isinstance(text, cst.SimpleString) else text_of(text)
    return len(held.encode("utf-8", "surrogatepass") if isinstance(held, str) else held)


def _held(texts: Sequence[cst.CSTNode]) -> list[cst.CSTNode]:
    """Return the texts that hold something: long ones, or all when they are many."""
    letters = [max(_length(text), len(re.findall(r"\w", text_of(text)))) for text in texts]
    if len(texts) >= LEAST and sum(letters) >= LEAST * LETTERS:
        return list(texts)
    return [text for text, length in zip(texts, letters) if length >= LETTERS]
