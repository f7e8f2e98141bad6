"""Reads a request as the simulated researcher does: what was tried, and every sentence on its scores.

All that depends on how a request is written stands here. A method is a fenced file, introduced by the lines above it back to its
heading; what was tried is any line that states a recipe as the researcher's own ideas do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.simulated_world import CONSTANTS, NAMES, Recipe, recipe, recipe_of

_FENCED = re.compile(r"^(`{3,})python\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## (Parent )?", re.MULTILINE)
_IDEA = re.compile(rf"take ((?:{'|'.join(NAMES)}) [^:]*|nothing):")
_STEP = re.compile(rf"({'|'.join(NAMES)}) ([\d.]+)")
_DOMAIN = re.compile(r"domain (\d)")
_ATMOST = re.compile(r"no better\b.*than the best before it, PGR about (-?[\d.]+)")
_PGR = re.compile(r"PGR (?:about )?(-?\d[\d.]*)(?: \[(-?[\d.]+), (-?[\d.]+)\])?(?: on (\d+))?")
NO_GAIN = "not placed"


@dataclass(frozen=True)
class Score:
    """What one sentence says of a method on one domain.

    Attributes:
        value: the PGR that it names.
        interval: its 90 % interval, None where it names none.
        instances: how many it names, None where it does not say.
        at_most: whether the method is said to be no better than that, and not to be that.
    """

    domain: int
    value: float
    interval: tuple[float, float] | None
    instances: int | None
    at_most: bool


@dataclass(frozen=True)
class Seen:
    """A method of a request: its recipe, what is said of its scores, whether it is a parent, and whether it led nowhere."""

    recipe: Recipe
    scores: tuple[Score, ...]
    parent: bool = False
    vain: bool = False


def seen(request: str) -> list[Seen]:
    """Return the methods of a request, in order."""
    return [*_files(request), *_tried(request)]


def _files(request: str) -> Iterator[Seen]:
    end = 0
    for block in _FENCED.finditer(request):
        above, end = request[end : block.start()], block.end()
        headings = list(_HEADING.finditer(above))
        taken = recipe_of(block[2])
        if headings and taken is not None:
            yield Seen(taken, _scores(above[headings[-1].start() :]), parent=bool(headings[-1][1]))


def _tried(request: str) -> Iterator[Seen]:
    for line in _FENCED.sub("", request).splitlines():
        if found := _IDEA.search(line):
            steps = [(name, float(constant)) for name, constant in _STEP.findall(found[1])]
            if all(constant in CONSTANTS for _, constant in steps):
                yield Seen(recipe(steps), _scores(line), vain=NO_GAIN in line)


def _scores(text: str) -> tuple[Score, ...]:
    """Read each clause on its own; where domains are not numbered there is one."""
    return tuple(score for clause in re.split(r"[;\n]|(?<!before it), (?=PGR|no better)", text) if (score := _score(clause)))


def _score(clause: str) -> Score | None:
    at_most, named, domain = _ATMOST.search(clause), _PGR.search(clause), _DOMAIN.search(clause)
    if named is None:
        return None
    low, high = named[2], named[3]
    return Score(
        domain=int(domain[1]) - 1 if domain else 0,
        value=float(at_most[1] if at_most else named[1].rstrip(".")),
        interval=(float(low), float(high)) if low else None,
        instances=int(named[4]) if named[4] else None,
        at_most=bool(at_most),
    )
