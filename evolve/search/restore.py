"""Rebuilds the state of a search from its archive, at the beginning of every session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from archives.archive import Archive
from archives.nouns import ArchiveError, Placement, Usage
from evolve.budget import FREE
from evolve.islands.islands import Islands
from evolve.screening.screen import DIFFERS, REPEATS
from evolve.search.candidate import PastProposal, repeated
from evolve.search.context import RunContext
from evolve.search.state import BROKEN, FAILURES, NO_GAIN, SearchState
from evolve.selection.choice import Proposer, Reward
from evolve.selection.selector import Selector
from evolve.selection.strategies import populations, strategy
from fitness.nouns import Direction, Interval, Split, Status

_NEW = f"(p.source is not null and p.reason not like '{REPEATS} %' and p.reason not like '{DIFFERS} %')"
_PAST = f"(select p.*, {_NEW} as new from proposals p) order by id"
# a plus before a column keeps SQLite from its index: read from the newest on, a few rows are enough
_VAIN = f"""(
    select p.id, p.parents, coalesce(nullif(p.idea, ''), p.operator) as idea, p.source,
        {_NEW} and (p.state = 'refused' or e.status != 'OK') as broken,
        case when p.state = 'refused' then p.reason when e.status != 'OK' then e.status || ': ' || e.message
            when m.flags != '' then 'flagged by ' || m.flags else '{NO_GAIN}' end as reason
    from proposals p left join methods m on m.id = p.method
    left join evaluations e on e.id = (select max(id) from evaluations where method = p.method and split = 'dev')
    where +p.state = 'refused' or (+p.state = 'done' and e.status != 'LOST' and (p.placement = 'REJECTED' or m.flags != ''))
)"""
_SPENT = """(
    select proposal, sum(calls) as calls, sum(tokens_in + tokens_out) as tokens,
        case when sum(usd is null) = 0 then sum(usd) end as usd
    from spend where kind = 'model' and proposal is not null group by proposal
)"""
_PLACED = frozenset(placement.name for placement in Placement if placement)


class _Outcome(NamedTuple):
    """What a dev evaluation came to."""

    method: str
    status: Status
    fitness: float | None
    measures: dict[str, float]
    pgr: float | None
    pgr_low: float | None
    pgr_high: float | None

    def interval(self, instances: int) -> Interval | None:
        """Return the interval around its PGR, None when a stopping rule cut it short."""
        if self.pgr is None or self.pgr_low is None or self.pgr_high is None:
            return None
        return Interval(self.pgr, self.pgr_low, self.pgr_high, instances)


class _Tried(NamedTuple):
    """A trial that went well."""

    pgr: float


class _Unsuccessful(NamedTuple):
    """A child that led nowhere, and whether it can be repaired."""

    id: int
    parents: tuple[str, ...]
    idea: str
    source: str | None
    reason: str


class _Spent(NamedTuple):
    """What the model calls of a proposal cost."""

    proposal: int
    calls: int
    tokens: int
    usd: float | None


class Recalled(NamedTuple):
    """What a session begins with."""

    state: SearchState
    islands: Islands
    selector: Selector


def recall(context: RunContext) -> Recalled:
    """Rebuild the memory and the selector from the archive, and tell the screen of all methods. Raises ArchiveError."""
    past = context.archive.nouns(PastProposal, _PAST)
    memory = _memory(context.archive, past)
    for method in memory.methods.values():
        context.screen.remember(method)
    islands = Islands(populations(context.config), context.grid)
    return Recalled(memory, islands, _selector(context, memory, islands, past))


def memory_of(archive: Archive) -> SearchState:
    """Rebuild the memory alone."""
    return _memory(archive, archive.nouns(PastProposal, _PAST))


def tell_outcomes(memory: SearchState, archive: Archive, method: str | None = None) -> None:
    """Tell a memory of the dev evaluations of one method, or of all."""
    one, values = ("and method = ?", [method]) if method else ("", [])
    best = None
    for outcome in archive.each(_Outcome, f"evaluations where split = '{Split.DEV}' {one} order by id", values):
        if memory.add_outcome(outcome.method, outcome.status, outcome.fitness, outcome.measures):
            best = outcome
    if best is not None:
        memory.best_interval = best.interval(len(memory.pgrs(best.method)))


def pgrs(archive: Archive, method: str) -> tuple[float, ...]:
    """Return the dev PGRs of a method when it was last judged OK, instance by instance."""
    newest = f"(select max(id) from evaluations where method = ? and split = '{Split.DEV}' and status = '{Status.OK}')"
    tried = f"trials where evaluation = {newest} and status = '{Status.OK}' order by place"
    return tuple(trial.pgr for trial in archive.each(_Tried, tried, [method]))


def _memory(archive: Archive, past: Sequence[PastProposal]) -> SearchState:
    memory = SearchState(partial(pgrs, archive))
    parents = {one.method: one.parents for one in reversed(past)}  # a method's first proposal counts
    for method in archive.methods():
        memory.add_method(method, next(iter(parents.get(method.id, ())), None))
    memory.flagged = archive.flagged()
    tell_outcomes(memory, archive)
    memory.judged_here = 0
    for vain in reversed(archive.nouns(_Unsuccessful, f"{_VAIN} order by id desc limit ?", [FAILURES])):
        memory.failed(vain.parents, vain.idea, vain.reason)
    for vain in reversed(archive.nouns(_Unsuccessful, f"{_VAIN} where broken order by id desc limit ?", [BROKEN])):
        memory.keep_broken(vain.id, vain.source or "", vain.reason)
    memory.last_proposal = past[-1].id if past else 0
    memory.refusals = sum(one.state == "refused" for one in past)
    return memory


def _selector(context: RunContext, memory: SearchState, islands: Islands, past: Sequence[PastProposal]) -> Selector:
    """Rebuild the selector, by telling it again what it was told. Raises ArchiveError for a strange island."""
    specs, config, archive = list(context.models) or [""], context.config, context.archive
    sources = [
        Proposer(name, op.parents, spec, op.subject)
        for name, op in context.operators.items()
        for spec in (specs if op.needs_model else [""])
    ]
    elites = archive.elites()
    strange = ({one.island for one in past} | {elite.island for elite in elites}) - set(range(len(islands)))
    if strange:
        raise ArchiveError(f"{archive.path} has methods on island {min(strange)}, and its run {len(islands)} islands")
    selector = Selector(
        islands, memory.ranked_seeds, sources, context.judging.task.directions, config.novelty, strategy(config.strategy)
    )
    for method in memory.seeds:
        selector.child(method)
    made = archive.made_directions()
    known = {direction.name: direction for direction in archive.directions()}
    spent = {one.proposal: one for one in archive.each(_Spent, _SPENT)}
    for one in past:
        _tell(selector, memory, one, known, made.get(one.id), spent.get(one.id))
    for elite in elites:
        islands.place(elite)
    return selector


def _tell(
    selector: Selector,
    memory: SearchState,
    past: PastProposal,
    known: Mapping[str, Direction],
    made: Direction | None,
    spent: _Spent | None,
) -> None:
    """Tell the selector of one proposal, in the order in which things happen to one."""
    method = memory.methods.get(past.method or "")
    choice = repeated(past, known)
    selector.used(choice)
    if method is not None:
        selector.child(method)
    if made is not None:
        selector.add_direction(made, choice.island)
    if past.state not in ("done", "refused"):
        return
    usage = Usage(choice.model, spent.calls, spent.tokens, 0, spent.usd) if spent and spent.calls else FREE
    placed = past.placement in _PLACED
    selector.learn(choice, Reward(placed, past.gain or 0.0, usage, method.id if method else ""))
    if method is not None and method.id in memory.scored:
        if method.id not in memory.flagged:
            selector.judged(method.id, past.id)
    elif past.new:
        selector.failed(choice, past.id)
