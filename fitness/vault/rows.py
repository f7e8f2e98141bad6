"""Keeps which rows of dev instances methods have right, beside the labels, and says of two methods what one adds to the other.

Such rows name labels: they are kept where labels are, and only the one number a pair leaves this module. A trial shows some of
an instance's rows, others to each method, so methods are compared on the rows that both were shown.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from statistics import fmean

from fitness.vault.cache import ScoreCache
from fitness.vault.instance import InstanceName
from fitness.vault.marks import Marks, from_json, to_json

READ = 512  # methods whose rows are held in memory; the others are read again
MOST = 256 << 20  # bytes of all methods' rows together, when a run begins


class RowStore:
    """The marks of methods that have a fitness; the others are hardly ever parents, and nothing is kept of them.

    A damaged or foreign entry counts as none (ScoreCache). Safe to use from several threads.
    """

    def __init__(self, entries: ScoreCache) -> None:
        self._entries, self._lock = entries, threading.Lock()
        self._open: dict[str, dict[str, Marks]] = {}  # of methods that are being judged, by instance
        self._read: dict[str, Mapping[str, Marks]] = {}

    def note(self, method: str, instance: InstanceName, marks: Marks | None) -> None:
        """Remember a trial of a method that is being judged."""
        if marks is not None:
            self._open.setdefault(method, {})[str(instance)] = marks

    def settle(self, method: str, keep: bool) -> None:
        """Keep the trials of a method whose judging has ended, beside those that are known, or drop them."""
        found = self._open.pop(method, None)
        if found and keep:
            whole = {**self._of(method), **found}
            self._remember(method, whole)
            self._entries.put({"method": method}, {name: to_json(marks) for name, marks in whole.items()})

    def adds(self, one: str, other: str, instances: Sequence[InstanceName]) -> float | None:
        """Return the share of rows that one method has wrong and the other right, None where nothing is known of either.

        The mean over those of the instances that both were judged on, of the rows that both were shown.
        """
        ours, theirs = self._of(one), self._of(other)
        pairs = [(ours[name], theirs[name]) for name in map(str, instances) if name in ours and name in theirs]
        shares = [
            (both & ~mine.right & yours.right).bit_count() / both.bit_count()
            for mine, yours in pairs
            if (both := mine.shown & yours.shown)
        ]
        return fmean(shares) if shares else None

    def prune(self) -> None:
        """Make room: what was kept first goes first."""
        self._entries.prune(MOST)

    def _of(self, method: str) -> Mapping[str, Marks]:
        known = self._read.get(method)
        if known is None:
            held = self._entries.get({"method": method}) or {}
            known = {name: marks for name, found in held.items() if (marks := from_json(found))}
            self._remember(method, known)
        return known

    def _remember(self, method: str, found: Mapping[str, Marks]) -> None:
        with self._lock:
            self._read[method] = found
            while len(self._read) > READ:
                del self._read[next(iter(self._read))]
