"""Queues the failed children of each island for repair by a model: the newest first, each at most once, only now and then."""

from __future__ import annotations

from dataclasses import dataclass, field

from evolve.selection.choice import Choice

EVERY = 4  # model choices of an island, of which at most one repairs a failure
OPEN = 8  # failures of an island that wait; older ones are forgotten


@dataclass
class _Waiting:
    """The open failures of an island by proposal, oldest first, and its model choices since the last one that repaired any."""

    failures: dict[int, Choice] = field(default_factory=dict)
    since: int = 0


class RepairQueue:
    """The open failures of all islands."""

    def __init__(self, islands: int) -> None:
        self._islands = [_Waiting() for _ in range(islands)]

    def failed(self, choice: Choice, proposal: int) -> None:
        """Remember a child that failed.

        A failed repair is not repaired again, nor is what no model wrote: an edit that broke a method holds no idea.
        """
        failures = self._islands[choice.island].failures
        if choice.model and choice.fixes is None:
            failures[proposal] = choice
            if len(failures) > OPEN:
                del failures[next(iter(failures))]

    def used(self, choice: Choice) -> None:
        """Count a model choice; the failure that it repairs, if any, is not open any more."""
        waiting = self._islands[choice.island]
        waiting.since += bool(choice.model)
        if choice.fixes is not None:
            waiting.failures.pop(choice.fixes, None)
            waiting.since = 0

    def newest(self, island: int) -> tuple[int, Choice] | None:
        """Return the newest open failure of an island, as (proposal, its choice), or None when none may be repaired now."""
        waiting = self._islands[island]
        if not waiting.failures or waiting.since < EVERY - 1:
            return None
        proposal = next(reversed(waiting.failures))
        return proposal, waiting.failures[proposal]
