"""The parts of one session of a run, each built once and handed to who needs it."""

from __future__ import annotations

from dataclasses import dataclass

from evolve.islands.islands import Islands
from evolve.prompting.disclosure import Disclosure
from evolve.search.context import RunContext
from evolve.search.proposing import Proposing
from evolve.search.recorder import Recorder
from evolve.search.reporter import Reporter
from evolve.search.restore import recall
from evolve.search.seeding import Seeding
from evolve.search.state import SearchState
from evolve.selection.selector import Selector


@dataclass(frozen=True)
class Parts:
    """What the engine, the loop and the final evaluation of one session share."""

    state: SearchState
    islands: Islands
    selector: Selector
    disclosure: Disclosure
    reporter: Reporter
    recorder: Recorder
    proposing: Proposing
    seeding: Seeding


def assemble(context: RunContext) -> Parts:
    """Build the parts of a session from what the archive remembers. Raises ArchiveError."""
    state, islands, selector = recall(context)
    disclosure = Disclosure(context.archive, context.config.domains)
    reporter = Reporter(context, state, islands, selector)
    recorder = Recorder(context.archive, islands, selector, state, disclosure, context.config, reporter.event)
    proposing = Proposing(context, selector, recorder, reporter)
    seeding = Seeding(context, len(islands), recorder, reporter)
    return Parts(state, islands, selector, disclosure, reporter, recorder, proposing, seeding)
