"""Queues the children whose declared constants are to be tuned: on each island the fittest first, each at most once."""

from __future__ import annotations

from typing import NamedTuple

from evolve.selection.choice import Choice


class Promise(NamedTuple):
    """A child that declares constants and came within reach of its parent.

    Attributes:
        writer: the choice that it was made by.
        gain: what it gained itself.
        pgr: its mean dev PGR.
    """

    writer: Choice
    gain: float
    pgr: float


class TuningQueue:
    """The children of all islands that wait, and who wrote every child that ever did."""

    def __init__(self, islands: int) -> None:
        self._written: dict[str, Promise] = {}
        self._waiting: list[set[str]] = [set() for _ in range(islands)]

    def add(self, method: str, promise: Promise) -> None:
        """Remember a child that is owed a tuning; one that had it is owed no other."""
        if method not in self._written:
            self._written[method] = promise
            self._waiting[promise.writer.island].add(method)

    def used(self, method: str) -> Promise | None:
        """Return what is known of a child whose tuning begins, or ended; it does not wait any more."""
        promise = self._written.get(method)
        if promise is not None:
            self._waiting[promise.writer.island].discard(method)
        return promise

    def next(self, island: int) -> tuple[str, Promise] | None:
        """Return the fittest child of an island that waits."""
        best = max(self._waiting[island], key=lambda method: (self._written[method].pgr, method), default=None)
        return (best, self._written[best]) if best is not None else None

    def __bool__(self) -> bool:
        """Tell whether any child waits."""
        return any(self._waiting)
