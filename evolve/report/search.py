"""The sections of the page about the search itself: its breadth, its operators and directions, failures, costs, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evolve.report.arms import descent, explained, over_islands
from evolve.report.charts import breadth_charts
from evolve.report.data import Report
from evolve.report.markup import Safe, join, tag
from evolve.report.parts import Column, figure, fold, gain_bar, row, section, table
from evolve.report.tables import Yield
from evolve.report.wording import NONE, count, duration, money, number


def search_section(report: Report) -> Safe:
    """Return how broad the search was and what paid off."""
    if not report.operators:
        return Safe()
    note = (
        "Prompts are chosen for their value and for how far they are from recent ones. Entropy says how evenly the last ones "
        "spread over the directions. A gain is a child's dev PGR minus its first parent's."
    )
    charts: list[Safe] = []
    if len(report.spreads) > 1:
        entropy, novelty = breadth_charts(report.spreads, report.entropy_max)
        charts = [
            tag("div", tag("h3", "Direction entropy, bits"), figure(entropy)),
            tag("div", tag("h3", "Prompt novelty"), figure(novelty)),
        ]
    return section(
        "search", "The search", note, tag("div", *charts, class_="two"),
        _arms(report), _yields("Operators", "Operator", report.operators),
        _yields("Directions", "Direction", report.directions, _origins(report)),
    )  # fmt: skip


def _arms(report: Report) -> Safe:
    """Return what the bandit tried and what that gained for its cost, all islands together."""
    summed = over_islands(report.standing.arms)
    if not summed:
        return Safe()
    columns = [
        Column("Arm", "text"),
        *(Column(name, "n") for name in ("Tried", "Became elites", "Gain", "Calls", "Tokens", "Cost", "Gain per dollar")),
    ]
    rows = [
        row(
            columns,
            [
                arm.name, f"{arm.tried:,}", f"{arm.placed:,}", number(arm.gain), f"{arm.calls:,}", f"{arm.tokens:,}",
                money(arm.usd) if arm.calls else NONE,
                NONE if not arm.calls or arm.usd == 0 else "unknown" if arm.per_dollar is None else f"{arm.per_dollar:.3g}",
            ],
        )
        for arm in summed
    ]  # fmt: skip
    return join(tag("p", explained(summed)), table("Arms: operators and models, all islands together", columns, rows))


def _origins(report: Report) -> dict[str, str]:
    """Return where each direction comes from that a model made."""
    return {line.name: descent(line) for line in report.standing.directions if line.parent}


def _yields(caption: str, head: str, lines: Sequence[Yield], origins: Mapping[str, str] | None = None) -> Safe:
    columns = [
        Column(head, "text"),
        *(Column(name, "n") for name in ("Proposals", "Refused", "Failed", "Became elites", "Mean gain", "Best gain")),
    ]
    most = max((abs(gain) for line in lines for gain in (line.mean_gain, line.best_gain) if gain is not None), default=0.0)
    rows = [
        row(
            columns,
            [
                line.name + (f" ({note})" if (note := line.model or (origins or {}).get(line.name, "")) else ""),
                *(f"{times:,}" for times in (line.proposals, line.refused, line.failed, line.placed)),
                gain_bar(line.mean_gain, most),
                gain_bar(line.best_gain, most),
            ],
        )
        for line in lines
    ]
    return table(caption, columns, rows)


def failures_section(report: Report) -> Safe:
    """Return why candidates failed."""
    if not report.failures:
        return section("failures", "Failures", "", tag("p", "Nothing was refused and nothing failed."))
    columns = [Column("Status"), Column("Count", "n"), Column("Reason", "text")]
    rows = [row(columns, [line.status, f"{line.count:,}", line.reason or "no reason given"]) for line in report.failures]
    note = "Refused: by the operator or the screen, before any evaluation. A failure is a state, never a score."
    return section("failures", "Failures", note, table("The most frequent reasons", columns, rows))


def costs_section(report: Report) -> Safe:
    """Return what the run cost, and what it was."""
    now, spent = report.standing, report.standing.spent
    engine = f"{now.engine_seconds / now.seconds:.1%}" if now.seconds > 0 else "unknown"
    facts = [
        ("Wall clock", f"{duration(now.seconds)}, of which the engine itself {duration(now.engine_seconds)} ({engine})"),
        ("Judging", f"{count(spent.trials, 'trial')}, {duration(spent.trial_seconds)} of sandbox time"),
        ("Model calls", f"{count(spent.calls, 'call')}, {money(spent.usd)}" if spent.calls else "none: offline operators only"),
        ("Task", f"{now.task} {now.task_version}, searching on {now.domain or 'an unknown domain'}"),
        ("Sandbox", f"level {now.level}"),
    ]
    listed = tag("dl", *(part for name, text in facts for part in (tag("dt", name), tag("dd", text))))
    columns = [Column("Model"), Column("Calls", "n"), Column("Tokens in", "n"), Column("Tokens out", "n"), Column("Cost", "n")]
    rows = [
        row(columns, [line.model, f"{line.calls:,}", f"{line.tokens_in:,}", f"{line.tokens_out:,}", money(line.usd)])
        for line in report.costs
        if line.calls
    ]
    models = table("Models", columns, rows) if rows else Safe()
    return section("costs", "Costs", "", listed, models, _events(report))


def _events(report: Report) -> Safe:
    if not report.events:
        return Safe()
    columns = [Column("Time, UTC"), Column("Kind"), Column("What happened", "text")]
    rows = [row(columns, [event.at, event.kind, event.text]) for event in report.events]
    return fold(f"The last {count(len(rows), 'event')}", table("Newest first", columns, rows))


def glossary() -> Safe:
    """Return the words a reader needs."""
    terms = (
        (
            "PGR",
            "Performance gap recovered, (transfer − weak) / (strong − weak) in accuracy: 0 is the weak teacher, 1 the ceiling.",
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
        ("Verdict", "“Shown” needs a paired one-sided 95 % lower bound of the difference above 0 on fresh instances."),
    )
    return tag("dl", *(part for term, text in terms for part in (tag("dt", term), tag("dd", text))))
