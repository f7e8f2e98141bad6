"""The selector as the archive remembers it, at the beginning of every session."""

from __future__ import annotations

from archives.nouns import Direction, Placement, Row, Usage
from archives.typed import value
from evolve.choice import Choice, Lesson, Source
from evolve.directions import DIRECTIONS
from evolve.lab import Lab
from evolve.memory import Memory
from evolve.screen import DIFFERS, REPEATS
from evolve.select import Selector
from evolve.strategies import strategy

_HISTORY = f"""
select p.id, p.island, p.operator, p.model, p.direction, p.parents, p.inspirations, p.novelty, p.fixes, p.cell, p.state,
    p.method, coalesce(p.placement, '') as placement, coalesce(p.gain, 0.0) as gain, s.calls, s.tokens, s.usd,
    p.source is not null and (p.state = 'refused' or e.status not in ('OK', 'LOST'))
    and p.reason not like '{REPEATS} %' and p.reason not like '{DIFFERS} %' as failed, e.status = 'OK' and m.flags = '' as sound
from proposals p left join (
    select proposal, sum(calls) as calls, sum(tokens_in + tokens_out) as tokens,
        case when sum(usd is null) = 0 then sum(usd) end as usd
    from spend where kind = 'model' group by proposal
) s on s.proposal = p.id
left join methods m on m.id = p.method
left join (select proposal, status from evaluations where split = 'dev' and proposal is not null group by proposal) e
    on e.proposal = p.id
order by p.id
"""


def selector_of(lab: Lab, memory: Memory) -> Selector:
    """Rebuild the selector from the archive, by telling it again what it was told."""
    specs = list(lab.models) or [""]
    sources = [
        Source(name, op.parents, spec, op.subject)
        for name, op in lab.operators.items()
        for spec in (specs if op.needs_model else [""])
    ]
    config = lab.config
    selector = Selector(config.populations, sources, DIRECTIONS, config.novelty, strategy(config.strategy))
    for method in memory.seeds:
        selector.sketches[method.id] = method.sketch
    for seed, fitness in memory.sound_seeds().items():
        selector.add_seed(seed, fitness)
    made = lab.archive.made_directions()
    known = {direction.name: direction for direction in lab.archive.directions()}
    for row in lab.archive.rows(_HISTORY):
        _tell(selector, memory, row, known, made)
    for elite in lab.archive.elites():
        selector.place(elite)
    return selector


def _tell(selector: Selector, memory: Memory, row: Row, known: dict[str, Direction], made: dict[int, Direction]) -> None:
    """Tell the selector of one proposal, in the order in which things happen to one."""
    number, name, state = value(row, "id", int), value(row, "direction", str), value(row, "state", str)
    method = memory.methods.get(value(row, "method", str | None) or "")
    choice = Choice(
        island=value(row, "island", int),
        operator=value(row, "operator", str),
        model=value(row, "model", str),
        direction=known.get(name, Direction(name, "", ())),
        parents=value(row, "parents", tuple[str, ...]),
        inspirations=value(row, "inspirations", tuple[str, ...]),
        value=0.0,
        novelty=value(row, "novelty", float),
        fixes=value(row, "fixes", int | None),
        cell=value(row, "cell", int | None),
    )
    selector.used(choice)
    if method is not None:
        selector.child(method)
    if number in made:
        selector.add_direction(made[number], choice.island)
    if state not in ("done", "refused"):
        return
    usage = Usage()
    if row["calls"]:
        usage = Usage(choice.model, value(row, "calls", int), value(row, "tokens", int), 0, value(row, "usd", float | None))
    placed = value(row, "placement", str) in (Placement.NEW.name, Placement.IMPROVED.name)
    selector.learn(choice, Lesson(placed, value(row, "gain", float), usage, method.id if method else ""))
    if method is not None and row["sound"]:
        selector.judged(method.id, number)
    if row["failed"]:
        selector.failed(choice, number)
