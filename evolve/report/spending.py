"""What a run spent, proposal by proposal: dollars or tokens of model calls, and time in the sandbox."""

from __future__ import annotations

import math
from dataclasses import dataclass

from archives.archive import Archive
from evolve.report.rows import integer, real

_POINTS = 200


@dataclass(frozen=True)
class Spending:
    """What had been spent when so many proposals had ended.

    Attributes:
        usd: dollars of the calls whose price is known; `unpriced`: calls whose price is not.
        seconds: wall clock of trials in the sandbox.
    """

    proposal: int
    usd: float
    unpriced: int
    tokens: int
    seconds: float


def spending(archive: Archive) -> tuple[Spending, ...]:
    """Return the sums over the run, at most 200 points; empty before the first proposal."""
    calls = archive.rows(
        "select proposal, coalesce(sum(usd), 0) as usd, sum(calls > 0 and usd is null) as unpriced, "
        "sum(tokens_in + tokens_out) as tokens from spend where kind = 'model' and proposal is not null group by proposal"
    )
    judged = archive.rows(
        "select proposal, sum(seconds) as seconds from evaluations where proposal is not null group by proposal"
    )
    paid = {integer(row, "proposal"): row for row in calls}
    took = {integer(row, "proposal"): real(row, "seconds") for row in judged}
    points: list[Spending] = []
    usd, unpriced, tokens, seconds = 0.0, 0, 0, 0.0
    for proposal in sorted(paid.keys() | took.keys()):
        if proposal in paid:
            row = paid[proposal]
            usd, unpriced = usd + real(row, "usd"), unpriced + integer(row, "unpriced")
            tokens += integer(row, "tokens")
        seconds += took.get(proposal, 0.0)
        points.append(Spending(proposal, usd, unpriced, tokens, seconds))
    every = max(1, math.ceil(len(points) / _POINTS))
    return (*points[:-1:every], *points[-1:])
