"""Returns a method's ancestors down to the seeds, with how every child was made and what it gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archives.archive import Archive
from archives.nouns import Row
from archives.sqlite.typed import maybe_real, text, value
from evolve.text import label


@dataclass(frozen=True)
class Ancestor:
    """A method in a lineage.

    Attributes:
        pgr: mean PGR on dev instances, or None when it was never judged OK.
        generation: 0 for a method without known parents, else one more than its oldest parent's.
        parents: ids, best first; empty for a seed.
        operator, direction, idea: how it was made; empty for a seed.
        gains: PGR minus that of each parent, in the order of `parents`; None where either is unknown.
    """

    method: str
    name: str
    origin: str
    pgr: float | None
    generation: int
    parents: tuple[str, ...]
    operator: str
    direction: str
    idea: str
    gains: tuple[float | None, ...]

    @property
    def label(self) -> str:
        """What people call it."""
        return label(self.name, self.method)


@dataclass(frozen=True)
class Lineage:
    """The ancestry of `root`.

    Attributes:
        ancestors: the root and its ancestors, the root first, each once.
        left_out: ancestors that were not followed because there are too many.
    """

    root: str
    ancestors: tuple[Ancestor, ...]
    left_out: int

    def by_id(self) -> dict[str, Ancestor]:
        """Return the ancestors by id."""
        return {ancestor.method: ancestor for ancestor in self.ancestors}

    def spine(self) -> tuple[Ancestor, ...]:
        """Return the line of first parents, from the root to its seed."""
        known = self.by_id()
        line: dict[str, Ancestor] = {}
        current = known.get(self.root)
        while current is not None and current.method not in line:  # a stranger's archive may go in circles
            line[current.method] = current
            current = known.get(current.parents[0]) if current.parents else None
        return tuple(line.values())


def lineage_of(archive: Archive, root: str, limit: int = 2000) -> Lineage:
    """Return the ancestry of a method, nearest ancestors first, at most `limit` of them."""
    seen, queue = {root}, [root]
    order: list[str] = []
    births: dict[str, Row] = {}
    while queue and len(order) < limit:
        batch = queue[: min(500, limit - len(order))]
        queue = queue[len(batch) :]
        order.extend(batch)
        births.update(_births(archive, batch))
        for method in batch:
            for parent in _parents(births.get(method)):
                if parent not in seen:
                    seen.add(parent)
                    queue.append(parent)
    facts = _facts(archive, order)
    ages = _generations(order, births)
    ancestors = tuple(_ancestor(method, facts, births.get(method), ages[method]) for method in order if method in facts)
    return Lineage(root, ancestors, len(queue))


def _births(archive: Archive, methods: Sequence[str]) -> dict[str, Row]:
    """Return the first proposal of each method that has one."""
    marks = ",".join("?" * len(methods))
    rows = archive.rows(
        f"select method, parents, operator, direction, idea from proposals where method in ({marks}) order by id desc", methods
    )
    return {text(row, "method"): row for row in rows}


def _facts(archive: Archive, methods: Sequence[str]) -> dict[str, Row]:
    """Return name, origin and dev PGR of each method."""
    found: dict[str, Row] = {}
    for start in range(0, len(methods), 500):
        batch = methods[start : start + 500]
        rows = archive.rows(
            "select m.id, m.name, m.origin, (select pgr from evaluations e where e.method = m.id and e.split = 'dev' "
            f"order by e.id desc limit 1) as pgr from methods m where m.id in ({','.join('?' * len(batch))})",
            batch,
        )
        found.update({text(row, "id"): row for row in rows})
    return found


def _parents(birth: Row | None) -> list[str]:
    return list(value(birth, "parents", tuple[str, ...])) if birth else []


def _generations(order: Sequence[str], births: Mapping[str, Row]) -> dict[str, int]:
    """Return each method's longest distance from a method without known parents."""
    ages: dict[str, int] = {}
    inside = set(order)
    stack = list(order)
    opened: set[str] = set()
    while stack:
        method = stack[-1]
        parents = [parent for parent in _parents(births.get(method)) if parent in inside]
        waiting = [parent for parent in parents if parent not in ages and parent not in opened]
        if method in ages or not waiting:
            stack.pop()
            ages.setdefault(method, 1 + max((ages.get(parent, 0) for parent in parents), default=-1))
        else:
            opened.add(method)
            stack.extend(waiting)
    return ages


def _ancestor(method: str, facts: Mapping[str, Row], birth: Row | None, generation: int) -> Ancestor:
    fact = facts[method]
    pgr = maybe_real(fact, "pgr")
    parents = _parents(birth)
    theirs = [maybe_real(facts[parent], "pgr") if parent in facts else None for parent in parents]
    return Ancestor(
        method=method,
        name=text(fact, "name"),
        origin=text(fact, "origin"),
        pgr=pgr,
        generation=generation,
        parents=tuple(parents),
        operator=text(birth, "operator") if birth else "",
        direction=text(birth, "direction") if birth else "",
        idea=text(birth, "idea") if birth else "",
        gains=tuple(None if pgr is None or other is None else pgr - other for other in theirs),
    )
