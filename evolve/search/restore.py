"""Restores a session: what an archive says has happened is told to the listeners again, in the same way as live."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import partial
from typing import NamedTuple

from archives.archive import Archive
from archives.nouns import MethodRecord, Placement, Usage
from evolve.budget import FREE
from evolve.screening.screen import DIFFERS, REPEATS
from evolve.search.candidate import Ended, PastProposal, repeated
from evolve.search.feedback import failure, problem_of
from evolve.search.recorder import Listeners
from evolve.search.state import SearchState
from evolve.selection.choice import Reward
from fitness.nouns import Interval, Split, Status

_PAST = "(select p.*, p.source is not null as has_source from proposals p) order by id"
_DUPLICATE = f"{REPEATS} ", f"{DIFFERS} "  # how the reason begins for which a repetition was refused
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
    message: str
    pgr: float | None
    pgr_low: float | None
    pgr_high: float | None

    def interval(self, instances: int) -> Interval | None:
        """Return the interval around its PGR, None when a stopping rule cut it short."""
        if self.pgr is None or self.fitness is None:
            return None
        low = -math.inf if self.pgr_low is None else self.pgr_low
        return Interval(self.pgr, low, math.inf if self.pgr_high is None else self.pgr_high, instances)


class _Tried(NamedTuple):
    """A trial that went well."""

    pgr: float


class _Spent(NamedTuple):
    """What the model calls of a proposal cost."""

    proposal: int
    calls: int
    tokens: int
    usd: float | None


def restore(archive: Archive, listeners: Listeners) -> None:
    """Tell of all that happened in a run: to methods, to the cells of its grid, and to its proposals in order."""
    past = archive.nouns(PastProposal, _PAST)
    parents = {one.method: one.parents for one in reversed(past)}  # a method's first proposal counts
    for method in archive.methods():
        listeners.passed(method, next(iter(parents.get(method.id, ())), None))
    flags = archive.flags()
    problems = _tell_scores(archive, listeners.state, flags)
    for elite in archive.elites():
        listeners.islands.place(elite)
    listeners.state.experimented = archive.tried("proposal in (select id from proposals where state != 'asked')")
    known = {direction.name: direction for direction in archive.directions()}
    made, spent = archive.made_directions(), {one.proposal: one for one in archive.each(_Spent, _SPENT)}
    for one in past:
        choice, child = repeated(one, known), one.method or ""
        listeners.asked(one.id, choice)
        if one.state not in ("done", "refused"):
            continue
        cost, problem, placed = spent.get(one.id), problems.get(child), one.placement in _PLACED
        usage = Usage(choice.model, cost.calls, cost.tokens, 0, cost.usd) if cost and cost.calls else FREE
        if problem is None:
            reason, failed = one.reason if one.state == "refused" else None, not one.reason.startswith(_DUPLICATE)
        else:
            reason, failed = failure(problem, flags.get(child, ""), placed), bool(problem)
        reward, broken = Reward(placed, one.gain or 0.0, usage, child), failed and bool(one.has_source)
        idea, direction = one.idea or one.operator, made.get(one.id)
        listeners.ended(Ended(one.id, choice, reward, one.state, idea, reason, broken, None, direction, one.prediction))


def restore_method(archive: Archive, method: MethodRecord, listeners: Listeners) -> None:
    """Tell of a method that was added by hand."""
    listeners.passed(method)
    _tell_scores(archive, listeners.state, archive.flags(), "and method = ?", [method.id])
    for elite in archive.elites():
        if elite.method == method.id:
            listeners.islands.place(elite)


def state_of(archive: Archive) -> SearchState:
    """Return what is known of an archive's methods, for whoever needs nothing else."""
    state = SearchState(partial(pgrs, archive))
    for method in archive.methods():
        state.add_method(method)
    _tell_scores(archive, state, archive.flags())
    return state


def pgrs(archive: Archive, method: str) -> tuple[float, ...]:
    """Return the dev PGRs of a method when it was last judged OK, instance by instance."""
    newest = f"(select max(id) from evaluations where method = ? and split = '{Split.DEV}' and status = '{Status.OK}')"
    tried = f"trials where evaluation = {newest} and status = '{Status.OK}' order by place"
    return tuple(trial.pgr for trial in archive.each(_Tried, tried, [method]))


def source_of(archive: Archive, proposal: int) -> str:
    """Return the source of a proposal's child, "" when it has none."""
    return next(iter(archive.proposals("id = ?", [proposal]))).source or ""


def _tell_scores(
    archive: Archive, state: SearchState, flags: Collection[str], which: str = "", values: Sequence[object] = ()
) -> dict[str, str]:
    """Tell of the dev evaluations of all methods, or of some; return why each judged method failed, "" when it did not."""
    problems, best = {}, None
    for outcome in archive.each(_Outcome, f"evaluations where split = '{Split.DEV}' {which} order by id", values):
        problems[outcome.method] = problem_of(outcome.status, outcome.message)
        if state.add_outcome(outcome.method, outcome.status, outcome.fitness, outcome.measures, outcome.method in flags):
            best = outcome
    if best is not None:
        state.best_interval = best.interval(len(state.pgrs(best.method)))
    return problems
