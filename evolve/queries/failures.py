"""Counts why proposals and methods failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from archives.archive import Archive
from archives.sqlite.typed import integer, maybe_integer, text
from evolve.errors import UsageError
from evolve.queries.final_table import _ID, _MOST

_FAILURES = """
select upper(state) as status, reason, count(*) as count, method, max(id) as proposal
from proposals where state in ('refused', 'unanswered') group by state, reason
union all
select status, reason, count, method, proposal from (
    select status, message as reason, count(*) as count, method, proposal, max(id)
    from evaluations where status != 'OK' group by status, message
)
order by count desc, proposal desc
"""


@dataclass(frozen=True)
class FailureLine:
    """One reason why candidates failed, how often, and the newest that did.

    Attributes:
        method: its id; "" for a proposal that became no method.
        proposal: its number; None for a seed or a file that was added.
    """

    status: str
    reason: str
    count: int
    method: str = ""
    proposal: int | None = None


def failures(archive: Archive, most: int | None = _MOST) -> tuple[FailureLine, ...]:
    """Return why candidates failed, the most frequent first, at most `most`; those that differ in an id only are one."""
    counts: Counter[tuple[str, str]] = Counter()
    newest: dict[tuple[str, str], tuple[str, int | None]] = {}
    for row in archive.rows(_FAILURES):
        reason = text(row, "status"), _ID.sub("…", text(row, "reason"))
        counts[reason] += integer(row, "count")
        newest.setdefault(reason, (text(row, "method"), maybe_integer(row, "proposal")))
    return tuple(FailureLine(*reason, count, *newest[reason]) for reason, count in counts.most_common(most))


def by_status(lines: Sequence[FailureLine], only: str | None = None) -> tuple[dict[str, int], list[FailureLine]]:
    """Return how many candidates ended with each status, and the reasons of one status or of all. Raises UsageError."""
    statuses: Counter[str] = Counter()
    for line in lines:
        statuses[line.status] += line.count
    if only is not None and only.upper() not in statuses:
        known = ", ".join(statuses) or "none: nothing was refused and nothing failed"
        raise UsageError(f"no candidate of this run ended as {only.upper()}: the statuses are {known}")
    return dict(statuses), [line for line in lines if only is None or line.status == only.upper()]
