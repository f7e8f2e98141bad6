"""Builds the parts of one session of a run, each once, and hands them to who needs them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from archives.archive import Archive
from archives.nouns import ArchiveError
from evolve.islands.islands import Islands
from evolve.nouns import experimenting
from evolve.prompting.disclosure import Disclosure
from evolve.search.ablations import AblationQueue
from evolve.search.briefing import Briefing
from evolve.search.context import RunContext
from evolve.search.feedback import Feedback
from evolve.search.proposing import Proposing
from evolve.search.recorder import Listeners, Recorder
from evolve.search.reporter import Reporter
from evolve.search.restore import pgrs, restore, source_of
from evolve.search.seeding import Seeding
from evolve.search.state import SearchState
from evolve.selection.choice import Proposer
from evolve.selection.pairing import Adds, Pairing, Uptake
from evolve.selection.selector import BY_RANK, Selector
from evolve.selection.strategies import populations, strategy


@dataclass(frozen=True)
class Parts:
    """What the engine, the loop and the final evaluation of one session share."""

    listeners: Listeners
    disclosure: Disclosure
    reporter: Reporter
    recorder: Recorder
    proposing: Proposing
    briefing: Briefing
    seeding: Seeding


def assemble(context: RunContext) -> Parts:
    """Build the parts of a session, and tell them, and the screen, what the archive holds. Raises ArchiveError."""
    config, archive = context.config, context.archive
    listeners = _listeners(context)
    restore(archive, listeners)
    for method in listeners.state.methods.values():
        context.screen.remember(method)
    shares = context.judging.task.contract.shares
    disclosure = Disclosure(archive, config.domains, shares, config.disclosure)
    reporter = Reporter(context, listeners.state, listeners.islands, listeners.selector)
    recorder = Recorder(archive, config, listeners, disclosure, reporter.event)
    proposing = Proposing(context, listeners.selector, disclosure, reporter)
    briefing = Briefing(
        listeners.state, listeners.islands, listeners.feedback, disclosure, context.operators, listeners.ablations
    )
    return Parts(
        listeners, disclosure, reporter, recorder, proposing, briefing, Seeding(context, listeners, recorder, reporter)
    )


def _listeners(context: RunContext) -> Listeners:
    """Return who remembers what happens in a run. Raises ArchiveError for an island that the run has not."""
    config, archive = context.config, context.archive
    count = populations(config)
    used = "select island from proposals union select island from elites"
    strange = {int(str(row["island"])) for row in archive.rows(used)} - set(range(count))
    if strange:
        raise ArchiveError(f"{archive.path} has methods on island {min(strange)}, and its run {count} islands")
    state, islands = SearchState(partial(pgrs, archive)), Islands(count, context.grid)
    proposers = [
        Proposer(name, op.parents, spec, op.subject, experimenting(op))
        for name, op in context.operators.items()
        for spec in (list(context.models) or [""] if op.needs_model else [""])
    ]
    chosen, directions = strategy(config.strategy), context.judging.task.directions
    selector = Selector(islands, state.ranked_seeds, proposers, directions, config.novelty, chosen, _pairing(context, state))
    ablations = AblationQueue(state, lambda proposal: archive.experiments("proposal = ?", [proposal]))
    return Listeners(state, islands, selector, Feedback(state, partial(source_of, archive)), ablations)


def _pairing(context: RunContext, state: SearchState) -> Pairing:
    """Return what goes with a parent in this run."""
    if context.config.pairing == "rank":
        return BY_RANK
    adds = None if context.adds is None else partial(_adds, context.archive, context.adds)
    return Pairing(adds, Uptake(context.judging.task.grammar, lambda method: state.methods[method].source))


def _adds(archive: Archive, measure: Adds, one: str, other: str) -> float | None:
    """Return what a method adds to one, as it was recorded when it was first asked: a replay chooses by the same numbers."""
    known = archive.pair(one, other)
    return measure(one, other) if known is None else known[0]
