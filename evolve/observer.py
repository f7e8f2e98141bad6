"""Defines what may watch a run while it works: an observer is told of events and shown snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fitness.nouns import Interval

BREEDING = "breeding"  # the phase in which evaluations are counted


@dataclass(frozen=True)
class Snapshot:
    """Where a run stands.

    Attributes:
        phase: what is going on, in a few words.
        evaluations: methods judged, of `budget`.
        best: dev PGR of the best so far with its interval, its name, and its fitness: the bred method of highest fitness that
            no probe failed; None and empty before there is one.
        baselines: dev PGR of each human baseline.
        rate: evaluations a minute.
        left: seconds until the run ends, the final evaluation included, at this rate; None when unknown.
        instances: (built, wanted).
        entropy: entropy of the recent directions, in bits.
        refused: proposals that the screen or an operator refused.
        usd: dollars spent; None when a price is unknown.
        qd_score: sum of the fitness in every occupied cell of all islands together, what lies below 0 counted as 0.
        coverage: share of the cells that are occupied on any island.
        done: methods of this phase that are judged, of `of`; both 0 while the search breeds.
    """

    phase: str
    evaluations: int
    budget: int
    best: Interval | None
    best_name: str
    baselines: Mapping[str, float]
    rate: float
    left: float | None
    instances: tuple[int, int]
    entropy: float
    refused: int
    usd: float | None
    fitness: float | None
    qd_score: float
    coverage: float
    done: int = 0
    of: int = 0


class NullObserver:
    """Shows nothing."""

    def event(self, kind: str, text: str) -> None:
        """Say nothing of what happened."""

    def snapshot(self, now: Snapshot) -> None:
        """Say nothing of where the run stands."""


class Observer(Protocol):
    """Something that shows a run: a live table, plain lines, JSON lines."""

    def event(self, kind: str, text: str) -> None:
        """Show something that happened."""

    def snapshot(self, now: Snapshot) -> None:
        """Show where the run stands; called often, it draws as often as it likes."""
