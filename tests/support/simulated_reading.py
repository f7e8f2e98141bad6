"""Reads a request as the simulated researcher does: what was tried, and every sentence on its scores.

All that depends on how a request is written stands here. A method is a fenced file, introduced by the lines above it, back to
its heading; what was tried is any row that states a recipe, as the researcher's own ideas do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.simulated_world import DOMAINS, NAMES, Recipe, recipe, recipe_of

_FENCED = re.compile(r"^(`{3,})python\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
RECORD = ", the best method so far"
_HEADING = re.compile(r"^(?:## (Parent )?|# (The record)$)", re.MULTILINE)
_STEP = re.compile(rf"({'|'.join(NAMES)}) (\d+(?:\.\d+)?)")
_IDEA = re.compile(rf"take ({_STEP.pattern}(?:, {_STEP.pattern})*|nothing)(?![,.\d…])")  # one that was cut is not read
_DOMAIN = re.compile(r"domain (\d)")
_AT_MOST = re.compile(r"not shown to be better\b.* which had PGR about (-?[\d.]+)")
_PGR = re.compile(r"PGR (?:about )?(-?\d(?:\.\d+)?)(?: \[(-?[\d.]+), (-?[\d.]+)\])?(?: on (\d+))?")
_CLAUSES = re.compile(r"[;\n]|, (?=PGR|domain|not shown)")
_STOPPED = re.compile(r"stopped by the race after (\d+) of")


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
    """A method of a request.

    Attributes:
        scores: what is said of its scores.
        parent: whether it is a parent; `record`: whether it is shown as the best so far.
    """

    recipe: Recipe
    scores: tuple[Score, ...]
    parent: bool = False
    record: bool = False


def seen(request: str) -> list[Seen]:
    """Return the methods of a request, files first."""
    return [*_files(request), *_rows(request)]


def _files(request: str) -> Iterator[Seen]:
    end = 0
    for block in _FENCED.finditer(request):
        above, end = request[end : block.start()], block.end()
        headings, taken = list(_HEADING.finditer(above)), recipe_of(block[2])
        if headings and taken is not None:
            last = headings[-1]
            own = above[last.start() :]
            yield Seen(taken, _scores(own), parent=bool(last[1]), record=bool(last[2]) or RECORD in own)


def _rows(request: str) -> Iterator[Seen]:
    """Read the rows of tables: an idea of the researcher's own, or the line of a file, states the recipe."""
    for line in _FENCED.sub("", request).splitlines():
        if line.startswith("- "):
            idea = _IDEA.search(line)
            taken = recipe((name, float(constant)) for name, constant in _STEP.findall(idea[1])) if idea else recipe_of(line)
            if taken is not None:
                yield Seen(taken, _scores(line))


def _scores(text: str) -> tuple[Score, ...]:
    """Read each clause on its own; where domains are not numbered there is one."""
    stopped = _STOPPED.search(text)
    least = int(stopped[1]) // len(DOMAINS) if stopped else None
    return tuple(score for clause in _CLAUSES.split(text) if (score := _score(clause, least)))


def _score(clause: str, instances: int | None) -> Score | None:
    at_most, named, domain = _AT_MOST.search(clause), _PGR.search(clause), _DOMAIN.search(clause)
    if named is None:
        return None
    low, high = named[2], named[3]
    return Score(
        domain=int(domain[1]) - 1 if domain else 0,
        value=float(named[1]),
        interval=(float(low), float(high)) if low else None,
        instances=int(named[4]) if named[4] else instances,
        at_most=bool(at_most),
    )
