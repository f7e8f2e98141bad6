"""Neutralises one part of a method at a time: a step or statement is left out, a constant set to 0 or 1 (worker only)."""

from __future__ import annotations

import ast
import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from evolve.operators.offline.ablation import Block, Cut, cuts_of
from evolve.operators.offline.literals import literals
from evolve.operators.offline.numbers import Place, bounds
from evolve.operators.offline.script import ENTRY, Script, Unsuitable, define, parse
from evolve.operators.offline.splice import remove
from evolve.screening.canonical import canonical
from fitness.tasks.grammar import Grammar, from_json

CODE = 80  # characters of a line of code in a label
LEAST = 0.02  # smaller fractions are learning rates and tolerances, which no value neutralises
NEAR_ONE = 0.9  # larger fractions keep nearly all: 1 keeps all
SIZE = 32  # whole numbers from here on are sizes: a quarter of one is left, and 1 of a smaller number
Runs = tuple[str, tuple[float, ...]]  # what of a file runs: its structure and its numbers
PLUMBING = frozenset(
    {"note", "print", "manual_seed", "zero_grad", "backward", "step"}
)  # statements that are no part of an idea


@dataclass(frozen=True)
class Neutral:
    """A part of a file that can be neutralised.

    Attributes:
        line: where it stands; `label`: what is done to it.
        weight: how likely it is taken; 0 for one that is always taken.
        made: returns the file with it neutralised. Raises Unsuitable where it cannot be.
    """

    line: int
    label: str
    weight: float
    made: Callable[[], str]


def neutralised(source: str, most: int, seed: int, grammar: str | None) -> dict[str, list[dict[str, str]]]:
    """Return a file with one part neutralised, as `parts`: labels and sources, at most so many, spread over the file."""
    try:
        found = list(_parts(source, from_json(grammar) if grammar else None))
        chosen = _chosen(found, source, most, random.Random(seed))
    except (Unsuitable, RecursionError):
        chosen = []
    return {"parts": [{"label": part.label, "source": made} for part, made in chosen]}


def _chosen(found: Sequence[Neutral], source: str, most: int, rng: random.Random) -> list[tuple[Neutral, str]]:
    """Choose parts from all over the file, and make the variants, which differ from the file and from each other."""
    known = {_runs(source)}
    always = [part for part in found if not part.weight][:most]
    others = sorted((part for part in found if part.weight), key=lambda part: part.line)
    room = min(most - len(always), len(others))
    stretches = [others[i * len(others) // room : (i + 1) * len(others) // room] for i in range(room)]
    drawn = [sorted(part, key=lambda one: rng.random() ** (1 / one.weight), reverse=True) for part in stretches]
    chosen = [pair for group in [*([part] for part in always), *drawn] for pair in _first(group, known)]
    return sorted(chosen, key=lambda pair: pair[0].line)


def _first(group: Sequence[Neutral], known: set[Runs]) -> Iterator[tuple[Neutral, str]]:
    """Yield the first part of a group whose variant compiles and is new."""
    for part in group:
        try:
            made = part.made()
            compile(made, "method", "exec")
            runs = _runs(made)
        except (Unsuitable, SyntaxError, ValueError):
            continue
        if runs not in known:
            known.add(runs)
            yield part, made
            return


def _runs(source: str) -> Runs:
    form = canonical(source)
    return form.structure, form.constants


def _parts(source: str, grammar: Grammar | None) -> Iterator[Neutral]:
    script, plain = parse(source, grammar), parse(source)
    lines = {node.name: node.lineno for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    if grammar is not None and script.grammatical:
        for kind in script.steps:
            if kind != grammar.core:
                yield Neutral(lines[kind], f"without the step `{kind}`, line {lines[kind]}", 0.0, _without_step(script, kind))
    for name, definition in plain.definitions.items():
        if definition.kind == "function" and name in lines and not (script.grammatical and name == ENTRY):
            first = lines[name] - ast.parse(definition.code).body[0].lineno
            for cut in cuts_of(plain, name):
                if not _is_plumbing(cut.statement):
                    yield _left_out(plain, cut, first + cut.line)
    yield from _constants(source, plain, grammar)


def _without_step(script: Script, kind: str) -> Callable[[], str]:
    return lambda: remove(script, kind).render(script.docstring)


def _left_out(script: Script, cut: Cut, line: int) -> Neutral:
    weight = 4.0 if cut.statement is None else 3.0 if isinstance(cut.statement, Block) else 2.0

    def made() -> str:
        changed = script.changed(define(cut.definition, "function", cut.code))
        return changed.pruned().render(script.docstring)

    return Neutral(line, f"without `{cut.part[:CODE]}`, line {line}", weight, made)


def _is_plumbing(statement: ast.stmt | None) -> bool:
    """Tell whether a statement only notes, prints, seeds, or takes a step of descent."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    called = statement.value.func
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in PLUMBING


def _constants(source: str, script: Script, grammar: Grammar | None) -> Iterator[Neutral]:
    """Yield the numbers that have a value at which they do nothing, as far as that can be told."""
    module, scales, lines = cst.parse_module(source), _scales(source), list(io.StringIO(source, newline=""))
    positions = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    for literal in literals(module, script):
        place, (start, end) = literal.place, (positions[literal.node].start, positions[literal.node].end)
        scale = place.name in scales if place.name else (start.line, start.column) in scales
        value = neutral(place, grammar, scale)
        if value is not None:
            line, changed = lines[start.line - 1], f"{place.value!r} -> {value!r}"
            where = f"`{place.name}`: {changed}" if place.name else f"{changed} in `{line.strip()[:CODE]}`"
            made = _with(lines, start.line, f"{line[: start.column]}{value!r}{line[end.column :]}")
            yield Neutral(start.line, f"{where}, line {start.line}", 3.0 if place.name else 1.0, made)


def _with(lines: Sequence[str], number: int, line: str) -> Callable[[], str]:
    return lambda: "".join([*lines[: number - 1], line, *lines[number:]])


def neutral(place: Place, grammar: Grammar | None, scale: bool) -> int | float | None:
    """Return the value at which a number does the least, within the bounds that its name has; None where there is none.

    What a `scale` divides by, or raises to, it leaves as it is at 1.
    """
    value: int | float = place.value
    if isinstance(value, int):
        value = 1 if value < SIZE or scale else value // 4
    elif value < LEAST:
        return None
    else:
        value = 1.0 if scale or value > NEAR_ONE else 0.0
    if grammar is not None and any(place.name == name for name, _, _ in grammar.bounds):
        low, high = bounds(place, grammar)
        value = type(value)(min(max(value, low), high))
    return None if value == place.value else value


def _scales(source: str) -> set[str | tuple[int, int]]:
    """Return the names, and the places of the literals, that something is divided by or raised to."""
    found: set[str | tuple[int, int]] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Pow):
            right = node.right
            found.add(right.id if isinstance(right, ast.Name) else (right.lineno, right.col_offset))
    return found
