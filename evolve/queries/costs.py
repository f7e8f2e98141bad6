"""Returns what a run spent, proposal by proposal: dollars or tokens of model calls, and time in the sandbox."""

from __future__ import annotations

import math
from dataclasses import dataclass

from archives.archive import Archive
from archives.sqlite.typed import integer, lenient, real

_COSTS = """
with asked as (
    select model, proposal, sum(calls) as calls, sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out,
        sum(calls > 0 and usd is null) as unpriced, sum(usd) as usd, sum(cached) as cached, sum(reasoning) as reasoning,
        sum(seconds) as seconds
    from spend where kind = 'model' group by model, proposal
)
select a.model, sum(a.calls) as calls, sum(a.tokens_in) as tokens_in, sum(a.tokens_out) as tokens_out,
    case when sum(a.unpriced) = 0 then coalesce(sum(a.usd), 0) end as usd, sum(a.cached) as cached,
    sum(a.reasoning) as reasoning, sum(a.seconds) as seconds, sum(p.placement in ('NEW', 'IMPROVED')) as placed,
    sum(p.gain) as gain
from asked a left join proposals p on p.id = a.proposal group by a.model order by calls desc, a.model
"""


@dataclass(frozen=True)
class CostLine:
    """What one model cost, and what came of it.

    Attributes:
        tokens_in: of the prompts, `cached` of them read from the provider's cache.
        tokens_out: of the answers, `reasoning` of them thoughts that the answer does not show.
        usd: dollars, None when a price is unknown.
        placed: proposals of its calls whose child became an elite; `gain`: sum of what those children gained in fitness.
        seconds: wall clock of its calls.
    """

    model: str
    calls: int
    tokens_in: int
    tokens_out: int
    usd: float | None
    cached: int = 0
    reasoning: int = 0
    placed: int = 0
    gain: float = 0.0
    seconds: float = 0.0

    @property
    def per_dollar(self) -> float | None:
        """Gain per dollar; None where nothing was paid or the price is unknown."""
        return self.gain / self.usd if self.usd else None


@dataclass(frozen=True)
class LostCalls:
    """Calls of one model that were cut off: at most this many tokens and dollars (None: unknown) were charged for them."""

    model: str
    calls: int
    tokens: int
    usd: float | None


def costs(archive: Archive) -> tuple[CostLine, ...]:
    """Return what each model cost, the most asked first."""
    return tuple(lenient(CostLine, row) for row in archive.rows(_COSTS))


def lost_calls(archive: Archive) -> tuple[LostCalls, ...]:
    """Return the calls that were under way when the run was cut off, at their worst case."""
    rows = archive.rows(
        "select model, sum(calls) as calls, sum(worst_tokens) as tokens, "
        "case when count(*) = count(worst_usd) then sum(worst_usd) end as usd "
        "from spend where kind = 'lost' group by model order by calls desc, model"
    )
    return tuple(lenient(LostCalls, row) for row in rows)


_POINTS = 200  # points of the spending, at most


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
