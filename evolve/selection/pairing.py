"""Draws what goes with a first parent: second parents by what they would add to it, and directions that it can take up."""

from __future__ import annotations

import random
import symtable
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

from evolve.selection.parents import rank_weight
from fitness.nouns import Direction
from fitness.tasks.grammar import Grammar

CONSIDERED = 8  # methods that a second parent is drawn from
SOURCES = 4096  # methods of which it is remembered what they can take up
Adds = Callable[[str, str], float | None]  # the share of dev rows that the first method has wrong and the second right


@dataclass(frozen=True)
class Pairing:
    """What is known of who goes with whom.

    Attributes:
        adds: what a second parent would add to a first; None where answers have no rows that are right or wrong.
        takes_up: whether a method can take up a direction.
    """

    adds: Adds | None
    takes_up: Callable[[str, Direction], bool]


@dataclass(frozen=True)
class Partners:
    """A few methods that may be crossed with a first parent.

    Attributes:
        adds: what each would add to it, None where nobody knows; one that differs from it in constants only is not asked about.
        weights: how likely each is to be drawn.
    """

    adds: dict[str, float | None]
    weights: dict[str, float]

    def draw(self, most: int, rng: random.Random) -> list[str]:
        """Draw at most so many of them, different ones."""
        left, drawn = dict(self.weights), list[str]()
        while left and len(drawn) < most:
            weights = list(left.values())
            [method] = rng.choices(list(left), weights if any(weights) else None)
            drawn.append(method)
            del left[method]
        return drawn


def partners(
    methods: Sequence[str], parent: str, adds: Adds, alike: Callable[[str, str], bool], rng: random.Random
) -> Partners:
    """Consider a few methods, given from the least fit to the fittest, as partners of a parent.

    Each is as likely as what it adds beyond the one of them that adds least, times the weight of its rank. The least is taken
    off because two runs of one method differ, too; rank counts because a method that guesses mends half of all errors. They are
    drawn, for the best would be taken again and again, and novelty had nothing to choose from. One that is `alike` has no
    chance beside others; one of which nobody knows adds as much as the others do on the average. Where all add the same rank
    decides.
    """
    count = len(methods)
    places = [place for place in rng.sample(range(count), min(CONSIDERED + 1, count)) if methods[place] != parent]
    ranks = {methods[place]: rank_weight(count, place) for place in places[:CONSIDERED]}
    found = {method: adds(parent, method) for method in ranks if not alike(parent, method)}
    known = [share for share in found.values() if share is not None] or [0.0]
    least, usual = min(known), fmean(known)
    beyond = {method: (usual if share is None else share) - least for method, share in found.items()}
    if not any(beyond.values()):
        beyond = dict.fromkeys(found or ranks, 1.0)
    return Partners(found, {method: rank * beyond.get(method, 0.0) for method, rank in ranks.items()})


class Uptake:
    """Tells whether a method can take up a direction: whether one of the steps in its focus is there, or could be used there.

    An absent step of the grammar can be put into any file, but one whose result the file's core never reads would be idle. The
    core is in every file, so it says nothing of this one. Where nothing can be told, in a task without a grammar or of a file
    that does not follow it, every direction is taken up.
    """

    def __init__(self, grammar: Grammar | None, source: Callable[[str], str]) -> None:
        self._grammar, self._source = grammar, source
        self._idle = lru_cache(SOURCES)(self._idle_steps)

    def __call__(self, method: str, direction: Direction) -> bool:
        """Tell whether a method can take up a direction."""
        if self._grammar is None:
            return True
        focus = {name for name in direction.focus if name != self._grammar.core}
        return not focus or not focus <= self._idle(method)

    def _idle_steps(self, method: str) -> frozenset[str]:
        assert self._grammar is not None
        return idle_steps(self._grammar, self._source(method))


def idle_steps(grammar: Grammar, source: str) -> frozenset[str]:
    """Return the kinds of step whose result the core of a file never reads; none of a file without such a core.

    Read from the compiler's table of names: other threads build syntax trees meanwhile, which CPython 3.11 cannot do at once.
    """
    kind = grammar.kind(grammar.core)
    try:
        functions = symtable.symtable(source, "method", "exec").get_children()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    core = next((f for f in functions if isinstance(f, symtable.Function) and f.get_name() == grammar.core), None)
    names = core.get_parameters() if core else ()
    if kind is None or core is None or len(names) != len(kind.parameters):
        return frozenset()
    inner = {name for f in core.get_children() if isinstance(f, symtable.Function) for name in f.get_frees()}
    taking = {step.name: names[kind.parameters.index(step.read_as)] for step in grammar.kinds if step.read_as}
    return frozenset(step for step, name in taking.items() if not core.lookup(name).is_referenced() and name not in inner)
