"""Keeps what is known of the record's parts, and tells when the record is to be taken apart again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from archives.nouns import ExperimentRecord
from evolve.search.state import SearchState

CHANGED = 0.05  # PGR by which a record differs from the one whose parts are known
CHILDREN = 8  # that are judged before a record is taken apart for the first time


@dataclass(frozen=True)
class PartsTried:
    """The experiments of a proposal on the parts of a method."""

    proposal: int
    method: str
    experiments: tuple[ExperimentRecord, ...]


class AblationQueue:
    """The record that was taken apart last; `tried` returns the experiments of a proposal."""

    def __init__(self, state: SearchState, tried: Callable[[int], Sequence[ExperimentRecord]]) -> None:
        self._state, self._tried = state, tried
        self._asked = ""
        self._done: tuple[int, str] | None = None
        self._table: PartsTried | None = None

    def asked(self, record: str) -> None:
        """Remember the record that is taken apart, whatever comes of it: it is not tried again."""
        self._asked = record

    def ended(self, proposal: int, record: str) -> None:
        """Remember whose experiments are there."""
        self._done = proposal, record

    def owed(self) -> str:
        """Return the record that is to be taken apart, "" for none: the first one, and one that differs from the last."""
        best, state = self._state.best, self._state
        if not best or best in state.flagged:
            return ""
        if self._asked:
            return "" if self._alike(best, self._asked) else best
        return best if len(state.judged) - sum(seed.id in state.judged for seed in state.seeds) >= CHILDREN else ""

    def known(self) -> PartsTried | None:
        """Return the experiments on the record, or on one about as good; None when there are none."""
        if self._done is None or not self._alike(self._state.best, self._done[1]) or self._done[1] in self._state.flagged:
            return None
        if self._table is None or self._table.proposal != self._done[0]:
            self._table = PartsTried(*self._done, tuple(self._tried(self._done[0])))
        return self._table

    def _alike(self, one: str, other: str) -> bool:
        return one == other or abs(fmean(self._state.pgrs(one)) - fmean(self._state.pgrs(other))) <= CHANGED
