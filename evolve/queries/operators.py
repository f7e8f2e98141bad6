"""Returns how often each arm of the bandit and each direction was tried, what came of it, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archives.archive import Archive
from archives.sqlite.typed import lenient
from evolve.text import count, money, number, one_line


@dataclass(frozen=True)
class OperatorStats:
    """What came of a model and an operator on an island, or on all.

    Attributes:
        model: "" for an operator that needs none.
        island: None for all islands together.
        tried, placed: proposals that ended, and those whose child became an elite.
        gain: sum of the children's fitness above their first parent's.
        usd: dollars, None when the price of a call is unknown.
    """

    model: str
    operator: str
    island: int | None
    tried: int
    placed: int
    gain: float
    calls: int
    tokens: int
    usd: float | None

    @property
    def name(self) -> str:
        """The operator, with the model where there is one."""
        return f"{self.operator} by {self.model}" if self.model else self.operator

    @property
    def per_dollar(self) -> float | None:
        """Gain per dollar; None where nothing was paid or the price is unknown."""
        return self.gain / self.usd if self.usd else None


@dataclass(frozen=True)
class DirectionLine:
    """A direction, where it comes from, and what came of it.

    Attributes:
        origin: "literature", or the model that varied `parent`.
        tried, placed: proposals of it that ended, and those whose child became an elite.
    """

    name: str
    origin: str
    parent: str
    tried: int
    placed: int


def arms(archive: Archive) -> tuple[OperatorStats, ...]:
    """Return the arms of a run, the most tried first."""
    rows = archive.rows("select * from arms order by tried desc, model, operator, island")
    return tuple(lenient(OperatorStats, row) for row in rows)


def over_islands(every: Iterable[OperatorStats]) -> tuple[OperatorStats, ...]:
    """Return the arms of all islands together, the most tried first; one unknown price makes the sum unknown."""
    found: dict[tuple[str, str], OperatorStats] = {}
    for arm in every:
        before = found.get((arm.model, arm.operator), OperatorStats(arm.model, arm.operator, None, 0, 0, 0.0, 0, 0, 0.0))
        usd = None if before.usd is None or arm.usd is None else before.usd + arm.usd
        found[arm.model, arm.operator] = OperatorStats(
            arm.model, arm.operator, None, before.tried + arm.tried, before.placed + arm.placed, before.gain + arm.gain,
            before.calls + arm.calls, before.tokens + arm.tokens, usd,
        )  # fmt: skip
    return tuple(sorted(found.values(), key=lambda arm: (-arm.tried, arm.model, arm.operator)))


def explained(summed: Sequence[OperatorStats]) -> str:
    """Say in a sentence or two what the bandit tried most, what it got for that, and how it chooses; "" without arms."""
    if not summed:
        return ""
    first, tried = summed[0], sum(arm.tried for arm in summed)
    rule = "An arm is drawn the more often, the more it gains for its cost."
    return f"Of {count(tried, 'proposal')} {first.tried:,} went to {one_line(first.name, 60)}: {earned(first)}. {rule}"


def earned(arm: OperatorStats) -> str:
    """Say what an arm gained for what it cost."""
    gain = f"{number(arm.gain)} PGR gained"
    if not arm.calls:
        return f"{gain} without a model call"
    calls = f"{count(arm.calls, 'call')} and {count(arm.tokens, 'token')}"
    if arm.usd is None:
        return f"{gain} with {calls}, per dollar unknown"
    return f"{gain} for {money(arm.usd)} with {calls}" + (f", {arm.per_dollar:.3g} per dollar" if arm.per_dollar else "")


def directions(archive: Archive) -> tuple[DirectionLine, ...]:
    """Return every direction of a run, also those never tried, the most tried first."""
    rows = archive.rows(
        "select d.name, d.origin, d.parent, coalesce(t.tried, 0) as tried, coalesce(t.placed, 0) as placed "
        "from directions d left join direction_totals t on t.direction = d.name order by tried desc, d.rowid"
    )
    return tuple(lenient(DirectionLine, row) for row in rows)


def descent(line: DirectionLine) -> str:
    """Say where a direction comes from."""
    return f"{line.origin}, from {line.parent}" if line.parent else line.origin


@dataclass(frozen=True)
class OperatorYield:
    """What came of an operator (with its model) or of a direction.

    Attributes:
        proposals: how often it was tried; `refused`: by the operator or the screen; `failed`: crashed, timed out and so on.
        placed: how often the child became an elite.
        mean_gain, best_gain: dev PGR of a child minus its first parent's; None without one that was judged OK.
    """

    name: str
    model: str
    proposals: int
    refused: int
    failed: int
    placed: int
    mean_gain: float | None
    best_gain: float | None


def yields(archive: Archive, by: str) -> tuple[OperatorYield, ...]:
    """Return what came of each `operator` or `direction`, the most tried first."""
    name, model = ("p.operator", "p.model") if by == "operator" else ("p.direction", "''")
    rows = archive.rows(
        f"with made as (select {name} as name, {model} as model, p.state, p.placement, e.status, e.pgr - b.pgr as gain "
        "from proposals p left join evaluations e on e.id = (select max(id) from evaluations where method = p.method "
        "and split = 'dev') left join evaluations b on b.id = (select max(id) from evaluations where "
        "method = json_extract(p.parents, '$[0]') and split = 'dev')) "
        "select name, model, count(*) as proposals, sum(state = 'refused') as refused, "
        "sum(status not in ('OK', 'LOST')) as failed, sum(placement in ('NEW', 'IMPROVED')) as placed, "
        "avg(gain) as mean_gain, max(gain) as best_gain from made group by name, model order by proposals desc, name"
    )
    return tuple(lenient(OperatorYield, row) for row in rows)
