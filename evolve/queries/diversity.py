"""Measures how broad a search is: the entropy of the directions it tries, and the novelty of its prompts."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archives.archive import Archive
from archives.sqlite.typed import integer, real, text

POINTS = 120  # points of the entropy over a run, at most
_CHOSEN = "select p.id, p.direction, p.novelty from json_each(?) one join proposals p on p.id = one.value"


@dataclass(frozen=True)
class Tally:
    """How often something was chosen."""

    name: str
    count: int


@dataclass(frozen=True)
class Breadth:
    """What the last proposals were about.

    Attributes:
        proposals: how many were counted.
        entropy: Shannon entropy of their directions, in bits; None without proposals.
        entropy_max: the entropy if every direction of the run were tried equally often, in bits.
        novelty: mean distance of their prompts to the prompts before them, in [0, 1]; None without proposals.
        directions, operators: what was chosen, most often first.
    """

    proposals: int
    entropy: float | None
    entropy_max: float
    novelty: float | None
    directions: tuple[Tally, ...]
    operators: tuple[Tally, ...]


@dataclass(frozen=True)
class DiversityPoint:
    """The breadth after so many proposals: entropy in bits and mean novelty of the window that ends there."""

    proposal: int
    entropy: float
    novelty: float


def entropy(counts: Iterable[int]) -> float:
    """Return the Shannon entropy of counts, in bits."""
    positive = [count for count in counts if count > 0]
    total = sum(positive)
    return -sum(count / total * math.log2(count / total) for count in positive) + 0.0


def breadth(archive: Archive, window: int) -> Breadth:
    """Return what the last `window` proposals were about."""
    rows = archive.rows("select direction, operator, novelty from proposals order by id desc limit ?", [window])
    directions = Counter(text(row, "direction") for row in rows)
    operators = Counter(text(row, "operator") for row in rows)
    return Breadth(
        proposals=len(rows),
        entropy=entropy(directions.values()) if rows else None,
        entropy_max=entropy_limit(archive),
        novelty=sum(real(row, "novelty") for row in rows) / len(rows) if rows else None,
        directions=tuple(Tally(*pair) for pair in directions.most_common()),
        operators=tuple(Tally(*pair) for pair in operators.most_common()),
    )


def entropy_limit(archive: Archive) -> float:
    """Return the highest entropy that this run's directions allow, in bits."""
    known = len(archive.rows("select name from directions"))
    return math.log2(known) if known else 0.0


def spreads(archive: Archive, window: int, most: int = POINTS) -> tuple[DiversityPoint, ...]:
    """Return the breadth of a sliding window over all proposals, at most `most` points, from the first full window on."""
    ids = _proposals(archive)
    window = min(window, max(len(ids) // 2, 1))
    every = max(1, math.ceil(len(ids) / most))
    ends = sorted({*range(window, len(ids) + 1, every), *([len(ids)] if ids else [])})
    wanted = list(ids) if window >= every else [one for end in ends for one in ids[end - window : end]]
    rows = archive.rows(_CHOSEN, [json.dumps(wanted)])
    chosen = {integer(row, "id"): (text(row, "direction"), real(row, "novelty")) for row in rows}
    return tuple(_spread(end, [chosen.get(one, ("", 0.0)) for one in ids[end - window : end]]) for end in ends)


def _proposals(archive: Archive) -> Sequence[int]:
    """Return the numbers of all proposals; without a gap, as the engine gives them, they need not be read."""
    known = archive.rows(
        "select (select count(*) from proposals) as n, (select min(id) from proposals) as first, "
        "(select max(id) from proposals) as last"  # each alone is a look at an index, all at once a walk through it
    )[0]
    first, last = integer(known, "first"), integer(known, "last")
    if last - first + 1 == integer(known, "n"):
        return range(first, last + 1)
    return [integer(row, "id") for row in archive.rows("select id from proposals order by id")]


def _spread(end: int, window: Sequence[tuple[str, float]]) -> DiversityPoint:
    directions = Counter(direction for direction, _ in window)
    return DiversityPoint(end, entropy(directions.values()), sum(novelty for _, novelty in window) / len(window))
