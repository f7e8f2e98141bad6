"""What the operators that need no model share: the call into the syntax worker, and what the worker then does.

Importing this is cheap; only `edit`, which runs in the worker, imports libcst.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evolve.nouns import Brief, Draft, Subject, Tools, Tuned

if TYPE_CHECKING:
    from evolve.operators.script import Script

DRAWS = 8  # attempts at a child that compiles, differs and is not slow
EXTRA = 0.3  # share of structural children whose numbers are changed too: bigger jumps


@dataclass(frozen=True)
class Edit:
    """What an offline operator made of a source.

    Attributes:
        source: the child, or None when there is none.
        idea: what was changed, in one line.
        problem: why there is no child, as a sentence.
    """

    source: str | None
    idea: str
    problem: str


@dataclass(frozen=True)
class Change:
    """A changed script and what was changed, in one line; `text` is its file where that is not the script as rendered."""

    script: Script
    idea: str
    text: str = ""


@dataclass(frozen=True)
class Material:
    """What an operator has to work with, beside the script that it changes.

    Attributes:
        source: the parent's file, as it was written.
        donors: methods to take steps from.
        focus: the kinds of step that the direction is about.
        family: the parent and the methods that differ from it in constants only.
    """

    source: str
    donors: tuple[Script, ...] = ()
    focus: tuple[str, ...] = ()
    family: tuple[Tuned, ...] = ()


class Offline(ABC):
    """An operator that edits structure; a subclass says how with `change`."""

    name: ClassVar[str]
    needs_model: ClassVar[bool] = False
    parents: ClassVar[int] = 1
    subject: ClassVar[Subject] = "parents"
    structural: ClassVar[bool] = True  # whether numbers may be changed on top
    informed: ClassVar[bool] = False  # whether it looks at the family's fitness

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Make a child of the first parent, with the other parents and the inspirations as donors."""
        sources = [exhibit.method.source for exhibit in (*brief.parents, *brief.inspirations)]
        family = brief.family if self.informed else ()
        made = tools.syntax.apply(self.name, sources, brief.direction.focus, rng.getrandbits(32), family)
        return Draft(made.source, idea=made.idea, problem=made.problem)

    @abstractmethod
    def change(self, script: Script, material: Material, rng: random.Random) -> Change:
        """Return one changed script (in the worker). Raises Unsuitable, with a sentence, when this draw leads nowhere."""


def edit(operator: str, sources: list[str], focus: tuple[str, ...], seed: int, family: tuple[Tuned, ...] = ()) -> Edit:
    """Edit sources[0], with the rest as donors (in the syntax worker); the same seed, the same child."""
    from evolve import operators

    used = operators.load(operator)
    if not isinstance(used, Offline):
        raise TypeError(f"{operator} is no offline operator")
    try:
        return _edit(used, Material(sources[0], _readable(sources[1:]), focus, family), random.Random(seed))
    except RecursionError:
        return Edit(None, "", f"{operator}: the methods are nested too deeply to be edited")


def _edit(used: Offline, material: Material, rng: random.Random) -> Edit:
    from evolve.operators.script import Unsuitable, parse

    try:
        script = parse(material.source)
    except Unsuitable as error:
        return Edit(None, "", f"the parent cannot be edited: {error}")
    problem = "no draw gave a child"
    for _ in range(DRAWS):
        try:
            change = used.change(script, material, rng)
            if used.structural and rng.random() < EXTRA:
                change = _also(change, material, rng)
            return Edit(_checked(change, material.source, script), change.idea, "")
        except Unsuitable as error:
            problem = f"{used.name}: {error}"
    return Edit(None, "", problem)


def weighted(kinds: Sequence[str], focus: Sequence[str], rng: random.Random) -> str:
    """Draw a kind of step, those in focus three times as often."""
    return rng.choices(kinds, [3.0 if kind in focus else 1.0 for kind in kinds])[0]


def _readable(sources: Sequence[str]) -> tuple[Script, ...]:
    from evolve.operators.script import Unsuitable, parse

    found = []
    for source in sources:
        try:
            found.append(parse(source))
        except Unsuitable:
            continue
    return tuple(found)


def _also(change: Change, material: Material, rng: random.Random) -> Change:
    """Change numbers on top, where there are any."""
    from evolve.operators.perturb import Perturb
    from evolve.operators.script import Unsuitable

    try:
        more = Perturb().change(change.script, material, rng)
    except Unsuitable:
        return change
    return Change(more.script, f"{change.idea}; {more.idea}")


def _checked(change: Change, parent: str, script: Script) -> str:
    """Render a child. Raises Unsuitable when it equals its parent, does not compile, or would be slow."""
    import ast

    from evolve.operators.numbers import SLOWEST, cost
    from evolve.operators.script import Unsuitable

    child = change.text or change.script.render()
    try:
        same = _plain(ast.parse(child)) == _plain(ast.parse(parent))
        compile(child, "method", "exec")
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Unsuitable(f"the child does not compile: {error}") from None
    if same:
        raise Unsuitable("the child is its parent")
    if cost(change.script) > max(SLOWEST, cost(script)):
        raise Unsuitable("the child would be slow")
    return child


def _plain(tree: object) -> str:
    """Return a module's syntax without docstrings."""
    import ast

    assert isinstance(tree, ast.Module)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
