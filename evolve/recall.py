"""The selector as the archive remembers it, at the beginning of every session."""

from __future__ import annotations

from evolve.directions import DIRECTIONS
from evolve.lab import Lab
from evolve.memory import Memory
from evolve.novelty import RECENT
from evolve.select import Selector, Source, prompt_features

_TRIES = """
select direction, operator, json_extract(parents, '$[0]') as parent, count(*) as tried,
    coalesce(sum(placement in ('NEW', 'IMPROVED')), 0) as placed
from proposals group by 1, 2, 3
"""


def selector_of(lab: Lab, memory: Memory) -> Selector:
    """Rebuild the selector from the archive."""
    specs = list(lab.models) or [""]
    sources = [
        Source(name, op.parents, spec, op.subject)
        for name, op in lab.operators.items()
        for spec in (specs if op.needs_model else [""])
    ]
    selector = Selector(lab.config.islands, sources, DIRECTIONS, lab.config.novelty)
    for method in memory.methods.values():
        selector.sketches[method.id] = method.sketch
    for elite in lab.archive.elites():
        selector.place(elite)
    for row in lab.archive.rows(_TRIES):
        names = str(row["direction"]), str(row["operator"])
        selector.recall(*names, str(row["parent"]), int(str(row["tried"])), int(str(row["placed"])))
    for record in lab.archive.proposals(f"id > {memory.last_proposal - RECENT}"):
        selector.recent.add(prompt_features(memory.choice(record, selector), selector.sketches))
    return selector
