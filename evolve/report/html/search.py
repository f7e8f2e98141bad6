"""Writes the page's sections about the search: its breadth, operators and directions, failures, costs, events, glossary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evolve.queries.costs import Spending
from evolve.queries.operators import OperatorStats, OperatorYield, descent, explained, over_islands
from evolve.queries.run_report import Report
from evolve.queries.status import Spent
from evolve.report.html.charts import breadth_charts, series_chart
from evolve.report.html.markup import Safe, join, tag
from evolve.report.html.parts import Column, as_table, bar, figure, fold, gain_bar, link, section, table
from evolve.text import NONE, count, duration, money, number, short

_MOST_POINTS = 20  # rows of a table that stands for a chart


def search_section(report: Report) -> Safe:
    """Return how broad the search was and what paid off."""
    if not report.operators:
        return section("search", "The search", "", tag("p", "No candidate has been proposed yet."))
    note = (
        "Prompts are chosen for their value and for how far they are from recent ones. Entropy says how evenly the last ones "
        "spread over the directions. A gain is a child's dev PGR minus its first parent's."
    )
    charts, numbers = Safe(), Safe()
    if len(report.spreads) > 1:
        entropy, novelty = breadth_charts(report.spreads, report.entropy_max)
        both = (("Direction entropy, bits", entropy), ("Prompt novelty", novelty))
        charts = tag("div", *(tag("div", tag("h3", title), figure(chart)) for title, chart in both), class_="two")
        columns = [Column("Proposals", "n"), Column("Entropy, bits", "n"), Column("Novelty", "n")]
        points = report.spreads[:: max(1, len(report.spreads) // _MOST_POINTS)]
        rows = [[f"{p.proposal:,}", f"{p.entropy:.2f}", number(p.novelty)] for p in points]
        numbers = as_table("Breadth of the last proposals", columns, rows)
    arms, seen = over_islands(report.standing.arms), report.standing.disclosed
    told = tag("p", f"Scores that models were shown: {seen.sentence}.", class_="note") if seen else Safe()
    return section(
        "search", "The search", note, charts, numbers, told, tag("p", explained(arms)) if arms else Safe(),
        _arms(arms, report.operators), _yields("Directions", "Direction", report.directions, _origins(report)),
    )  # fmt: skip


def _arms(arms: Sequence[OperatorStats], operators: Sequence[OperatorYield]) -> Safe:
    """Return what every operator and model was tried, what came of it, and what it cost, all islands together."""
    known = {(arm.operator, arm.model): arm for arm in arms}
    heads = ("Proposals", "Refused", "Failed", "Elites", "Mean gain", "Best gain", "Calls", "Tokens", "Cost", "Gain per dollar")
    columns = [Column("Operator"), Column("Model", "text"), *(Column(name, "n") for name in heads)]
    most = max((abs(gain) for line in operators for gain in (line.mean_gain, line.best_gain) if gain is not None), default=0.0)
    rows = []
    for line in operators:
        arm = known.get((line.name, line.model), OperatorStats(line.model, line.name, None, 0, 0, 0.0, 0, 0, 0.0))
        per_dollar = NONE if arm.usd == 0 else "unknown" if arm.per_dollar is None else f"{arm.per_dollar:.3g}"
        paid = [f"{arm.calls:,}", f"{arm.tokens:,}", money(arm.usd), per_dollar] if arm.calls else [NONE] * 4
        times = [f"{times:,}" for times in (line.proposals, line.refused, line.failed, line.placed)]
        gains = [gain_bar(line.mean_gain, most), gain_bar(line.best_gain, most)]
        rows.append([line.name, line.model or NONE, *times, *gains, *paid])
    return table("Operators and models, all islands together", columns, rows)


def _origins(report: Report) -> dict[str, str]:
    """Return where each direction comes from that a model made."""
    return {line.name: descent(line) for line in report.standing.directions if line.parent}


def _yields(caption: str, head: str, lines: Sequence[OperatorYield], origins: Mapping[str, str]) -> Safe:
    columns = [
        Column(head, "text"),
        *(Column(name, "n") for name in ("Proposals", "Refused", "Failed", "Elites", "Mean gain", "Best gain")),
    ]
    most = max((abs(gain) for line in lines for gain in (line.mean_gain, line.best_gain) if gain is not None), default=0.0)
    rows = [
        [
            line.name + (f" ({note})" if (note := origins.get(line.name, "")) else ""),
            *(f"{times:,}" for times in (line.proposals, line.refused, line.failed, line.placed)),
            gain_bar(line.mean_gain, most),
            gain_bar(line.best_gain, most),
        ]
        for line in lines
    ]
    first = table(caption, columns, rows[:_MOST_POINTS])
    rest = rows[_MOST_POINTS:]
    return join(first, fold(f"The other {len(rest)}", table(f"{caption}, continued", columns, rest))) if rest else first


def failures_section(report: Report) -> Safe:
    """Return why candidates failed."""
    if not report.failures:
        return section("failures", "Failures", "", tag("p", "Nothing was refused and nothing failed."))
    columns = [Column("Status"), Column("Count", "nobr"), Column("Reason", "text"), Column("The newest", "nobr")]
    most = max(line.count for line in report.failures)
    rows = [
        [
            line.status, join(bar(line.count, most, "bar down"), f"{line.count:,}"), line.reason or "no reason given",
            link(line.method, short(line.method)) if line.method
            else NONE if line.proposal is None else f"proposal {line.proposal:,}",
        ]
        for line in report.failures
    ]  # fmt: skip
    note = "Refused: by the operator or the screen, before any evaluation. A failure is a state, never a score."
    return section("failures", "Failures", note, table("The most frequent reasons", columns, rows))


def costs_section(report: Report, spent_so_far: Sequence[Spending], system: str) -> Safe:
    """Return what the run cost over its course, and what it was."""
    now, spent = report.standing, report.standing.spent
    engine = f"{now.engine_seconds / now.seconds:.1%}" if now.seconds > 0 else "unknown"
    facts = [
        ("Wall clock", f"{duration(now.seconds)}, of which the engine itself {duration(now.engine_seconds)} ({engine})"),
        ("Judging", f"{count(spent.trials, 'trial')}, {duration(spent.trial_seconds)} of sandbox time"),
        ("Model calls", _calls(spent)),
        ("Task", f"{now.task} {now.task_version}, searching on {now.domain or 'an unknown domain'}"),
        ("Sandbox", f"level {now.level}"),
    ]
    listed = tag("dl", *(part for name, text in facts for part in (tag("dt", name), tag("dd", text))))
    columns = [Column("Model"), *(Column(head, "n") for head in ("Calls", "Tokens in", "Tokens out", "Elites", "Gain", "Cost"))]
    rows = [
        [
            line.model, *(f"{held:,}" for held in (line.calls, line.tokens_in, line.tokens_out, line.placed)),
            number(line.gain, sign=True), money(line.usd),
        ]
        for line in report.costs
        if line.calls
    ]  # fmt: skip
    models = table("Models", columns, rows) if rows else Safe()
    asked = fold("The system prompt of every call", tag("pre", system, tabindex=0, class_="wrap")) if system else Safe()
    return section("costs", "Costs", "", _course(spent_so_far), listed, models, asked, _events(report))


def _calls(spent: Spent) -> str:
    return f"{count(spent.calls, 'call')}, cost {money(spent.usd)}" if spent.calls else "none: offline operators only"


def _course(points: Sequence[Spending]) -> Safe:
    """Return spend over the proposals: dollars where prices are known, else tokens; and sandbox time."""
    if len(points) < 2:
        return Safe()
    last, charts = points[-1], []
    dollars = [(float(p.proposal), p.usd) for p in points]
    tokens = [(float(p.proposal), float(p.tokens)) for p in points]
    if last.usd > 0 and not last.unpriced:
        charts.append(("Dollars spent", series_chart(dollars, "Dollars spent", most=last.usd, prefix="$")))
    elif last.tokens:
        title = "Tokens, the price of some calls is unknown" if last.unpriced else "Tokens"
        charts.append((title, series_chart(tokens, title, most=last.tokens)))
    minutes = [(float(p.proposal), p.seconds / 60) for p in points]
    charts.append(("Sandbox minutes", series_chart(minutes, "Sandbox minutes", most=max(last.seconds / 60, 0.01))))
    columns = [Column("Proposals", "n"), Column("Dollars known", "n"), Column("Tokens", "n"), Column("Sandbox time", "n")]
    thinned = [*points[: -1 : max(1, len(points) // _MOST_POINTS)], last]
    rows = [[f"{p.proposal:,}", money(p.usd), f"{p.tokens:,}", duration(p.seconds)] for p in thinned]
    both = (tag("div", tag("h3", title), figure(chart)) for title, chart in charts)
    return join(tag("div", *both, class_="two"), as_table("Spent so far", columns, rows))


def _events(report: Report) -> Safe:
    if not report.events:
        return Safe()
    columns = [Column("Time, UTC"), Column("Kind"), Column("What happened", "text")]
    rows = [[event.at, event.kind, event.text] for event in report.events]
    return fold(f"The last {count(len(rows), 'event')}", table("Newest first", columns, rows))


TERMS = (  # the words of the page, in the sentences of docs/glossary.md
    (
        "PGR",
        "Performance gap recovered, (value − floor) / (ceiling − floor): 0 is the anchor to beat, 1 what could be reached.",
    ),
    (
        "Fitness",
        "A one-sided lower confidence bound on a method's true PGR, from dev instances; what the search selects on.",
    ),
    (
        "Dev, fresh",
        "Dev instances guide selection, so scores on them flatter. Fresh instances are drawn after selection has ended.",
    ),
    ("Human best", "The file in seeds/ with the highest mean PGR on the same fresh instances as the champion."),
    (
        "Verdict",
        "“Shown” needs a paired one-sided 95 % lower bound of the difference above 0 on fresh instances. "
        "The champion is chosen on dev instances alone and is the only one compared, so the bound needs no correction for "
        "several finalists.",
    ),
)


def glossary() -> Safe:
    """Return the words a reader needs."""
    return tag("dl", *(part for term, text in TERMS for part in (tag("dt", term), tag("dd", text))))
