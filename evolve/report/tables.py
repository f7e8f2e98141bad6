"""The report's tables: the final comparison, operators, directions, failures and costs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from archives.archive import Archive
from archives.nouns import RunRecord
from evolve.report.rows import integer, maybe_integer, maybe_real, real, text
from fitness import pgr
from fitness.nouns import Score, Split

_MOST = 20
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
_ID = re.compile(r"\b(?=[a-f]*[0-9])[0-9a-f]{8,64}\b")


@dataclass(frozen=True)
class Judged:
    """A method on one domain's fresh instances; `pgr` and its interval are None unless the status is OK."""

    status: str
    pgr: float | None
    pgr_low: float | None
    pgr_high: float | None
    trials: int


@dataclass(frozen=True)
class Comparison:
    """The champion and the human best on one domain.

    Attributes:
        held_out: whether the search never saw the domain.
        difference: mean paired difference of PGR on the same instances, with its one-sided 95 % lower bound; None where either
            failed or the instances differ.
    """

    domain: str
    held_out: bool
    champion: Judged | None
    human: Judged | None
    difference: float | None
    lower_bound: float | None


@dataclass(frozen=True)
class Verdict:
    """What the run showed; `shown` is None before the champion was judged on fresh instances."""

    sentence: str
    shown: bool | None


@dataclass(frozen=True)
class Yield:
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


def verdict(archive: Archive, run: RunRecord) -> Verdict:
    """Return the verdict as the run recorded it: the sentence, and the sign of the paired test's lower bound."""
    rows = archive.rows("select text, value from events where kind = 'verdict' order by id desc limit 1")
    bound = maybe_real(rows[0], "value") if rows else None
    return Verdict(run.verdict or (text(rows[0], "text") if rows else ""), None if bound is None else bound > 0)


def comparisons(archive: Archive, champion: str, human: str, search_domain: str) -> tuple[Comparison, ...]:
    """Return the final table: the search domain first, then the others in the order they were judged."""
    if not champion:
        return ()
    rows = archive.rows(
        "select domain from evaluations where split = 'fresh' and method in (?, ?) "
        "group by domain order by domain != ?, min(id)",
        [champion, human, search_domain],
    )
    return tuple(_comparison(archive, champion, human, text(row, "domain"), search_domain) for row in rows)


def _comparison(archive: Archive, champion: str, human: str, domain: str, search_domain: str) -> Comparison:
    ours, theirs = _scores(archive, champion, domain), _scores(archive, human, domain)
    difference = bound = None
    if len(ours) > 1 and ours.keys() == theirs.keys():
        difference, bound = pgr.paired(list(ours.values()), [theirs[instance] for instance in ours])
    return Comparison(
        domain, domain != search_domain, _judged(archive, champion, domain), _judged(archive, human, domain), difference, bound
    )


def _scores(archive: Archive, method: str, domain: str) -> dict[int, Score]:
    trials = archive.trials(method, Split.FRESH, domain)
    return {trial.instance: trial.score for trial in trials if trial.score is not None}


def _judged(archive: Archive, method: str, domain: str) -> Judged | None:
    rows = archive.rows(
        "select * from evaluations where method = ? and split = 'fresh' and domain = ? order by id desc limit 1",
        [method, domain],
    )
    if not rows:
        return None
    row = rows[0]
    mean, low, high = (maybe_real(row, name) for name in ("pgr", "pgr_low", "pgr_high"))
    return Judged(text(row, "status"), mean, low, high, integer(row, "trials"))


def yields(archive: Archive, by: str) -> tuple[Yield, ...]:
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
    return tuple(
        Yield(
            text(row, "name"), text(row, "model"), integer(row, "proposals"), integer(row, "refused"), integer(row, "failed"),
            integer(row, "placed"), maybe_real(row, "mean_gain"), maybe_real(row, "best_gain"),
        )
        for row in rows
    )  # fmt: skip


def failures(archive: Archive, most: int | None = _MOST) -> tuple[FailureLine, ...]:
    """Return why candidates failed, the most frequent first, at most `most`; those that differ in an id only are one."""
    counts: Counter[tuple[str, str]] = Counter()
    newest: dict[tuple[str, str], tuple[str, int | None]] = {}
    for row in archive.rows(_FAILURES):
        reason = text(row, "status"), _ID.sub("…", text(row, "reason"))
        counts[reason] += integer(row, "count")
        newest.setdefault(reason, (text(row, "method"), maybe_integer(row, "proposal")))
    return tuple(FailureLine(*reason, count, *newest[reason]) for reason, count in counts.most_common(most))


def costs(archive: Archive) -> tuple[CostLine, ...]:
    """Return what each model cost, the most asked first."""
    return tuple(
        CostLine(
            text(row, "model"), integer(row, "calls"), integer(row, "tokens_in"), integer(row, "tokens_out"),
            maybe_real(row, "usd"), integer(row, "cached"), integer(row, "reasoning"), integer(row, "placed"),
            real(row, "gain"), real(row, "seconds"),
        )
        for row in archive.rows(_COSTS)
    )  # fmt: skip


def lost_calls(archive: Archive) -> tuple[LostCalls, ...]:
    """Return the calls that were under way when the run was cut off, at their worst case."""
    rows = archive.rows(
        "select model, sum(calls) as calls, sum(worst_tokens) as tokens, "
        "case when count(*) = count(worst_usd) then sum(worst_usd) end as usd "
        "from spend where kind = 'lost' group by model order by calls desc, model"
    )
    return tuple(
        LostCalls(text(row, "model"), integer(row, "calls"), integer(row, "tokens"), maybe_real(row, "usd")) for row in rows
    )
