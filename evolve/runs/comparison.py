"""Compares a replay with its recording, table by table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from archives.archive import Archive
from evolve.prompting.words import digest
from evolve.queries.ends import INSTANCES
from fitness.pgr import FEWEST

_N = INSTANCES.format("e")  # an earlier version gave intervals of fewer than FEWEST, which are not compared
PROMPTS = "prompts are not compared: they were written in other words than this version's"
COMPARED = {
    "journal": "select step, proposal, method, config from journal order by id",
    "proposals": "select id, island, operator, model, direction, parents, inspirations, fixes, prompt, reply, idea, "
    "prediction, source, novelty, state, reason, method, placement, gain from proposals order by id",
    "methods": "select id, source, flags from methods order by rowid",
    "evaluations": "select method, proposal, domain, status, fitness, pgr, "
    f"iif({_N} < {FEWEST}, null, pgr_low) as pgr_low, iif({_N} < {FEWEST}, null, pgr_high) as pgr_high, "
    "trials, measures, message from evaluations e where split = 'dev' order by id",
    "pairs": "select one, other, adds from pairs order by one, other",
    "elites": "select island, cell, method, fitness from elites order by island, cell",
    "directions": "select name, text, focus, origin, parent from directions order by rowid",
    "events": "select kind, text, island, method from events "
    "where kind in ('seed', 'best', 'flag', 'migration', 'reset', 'direction', 'lost') order by id",
}


@dataclass(frozen=True)
class Difference:
    """Where a replay and its recording first differ in a table: the row's number there, and the column."""

    table: str
    row: int
    column: str
    recorded: object
    replayed: object


@dataclass(frozen=True)
class Replayed:
    """How a replay ended.

    Attributes:
        steps: journal lines followed, of `recorded`.
        proposals, methods, calls: how many the replay has.
        problem: why it could not go on, as a sentence; "" when it followed the whole journal.
        differences: the first difference of each table that differs.
        note: what was not compared, and why, as a sentence; "" when everything was.
    """

    steps: int
    recorded: int
    proposals: int
    methods: int
    calls: int
    problem: str
    differences: tuple[Difference, ...]
    note: str = ""

    @property
    def identical(self) -> bool:
        """Whether everything that is compared is the same."""
        return not self.problem and not self.differences


def compared(recording: Archive, replayed: Archive, steps: int, recorded: int, problem: str) -> Replayed:
    """Return how a replay ended that followed so many `steps` of those `recorded`."""
    counts = replayed.rows(
        "select (select count(*) from proposals) as proposals, (select count(*) from methods) as methods, "
        "(select count(*) from spend where kind = 'model') as calls"
    )[0]
    asked = bool(recording.rows("select 1 from proposals where prompt != '' limit 1"))
    note = PROMPTS if asked and recording.run().prompts != digest() else ""
    tables = COMPARED | {"proposals": COMPARED["proposals"].replace(" prompt,", "")} if note else COMPARED
    found = [d for table, query in tables.items() for d in _first(table, recording.rows(query), replayed.rows(query))]
    numbers = {name: int(str(count)) for name, count in counts.items()}
    return Replayed(steps, recorded, **numbers, problem=problem, differences=tuple(found), note=note)


def _first(table: str, recorded: Sequence[Any], replayed: Sequence[Any]) -> Iterator[Difference]:
    """Yield the first difference of two tables, if there is one."""
    for number, (one, other) in enumerate(zip(recorded, replayed), start=1):
        for column in one:
            if one[column] != other[column]:
                yield Difference(table, number, column, one[column], other[column])
                return
    if len(recorded) != len(replayed):
        yield Difference(table, min(len(recorded), len(replayed)) + 1, "(row)", len(recorded), len(replayed))
