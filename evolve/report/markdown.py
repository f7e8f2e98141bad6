"""Writes the report as Markdown, for a pull request, an issue or a notebook."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evolve.queries.final_table import Judged
from evolve.queries.operators import descent, explained, over_islands
from evolve.queries.run_report import Report
from evolve.report.html.header import headline
from evolve.text import NONE, count, duration, estimate, made_by, money, number, one_line, short

_ROWS = 20


def render(report: Report) -> str:
    """Return the report as Markdown."""
    now = report.standing
    engine = f"; the engine itself {now.engine_seconds / now.seconds:.1%}" if now.seconds else ""
    cost = money(now.spent.usd) if now.spent.calls else "no model calls"
    parts = [
        f"<!-- {report.made_by} -->",
        f"# {headline(report)}",
        *([_text(now.uncontained)] if now.uncontained else []),
        _text(report.verdict.sentence) or "No verdict yet.",
        f"Run {_text(now.run)}, {_text(now.state)}: "
        f"{_text(now.task)} {_text(now.task_version)}, searching on {_text(now.domain)}; "
        f"{count(now.evaluations, 'evaluation')} in {duration(now.seconds)}{engine}; {cost}; sandbox level {_text(now.level)}.",
        *([f"Scores that models were shown: {_text(now.disclosed.sentence)}."] if now.disclosed else []),
        *_final(report),
        *_scale(report),
        *_contested(report),
        *_leaderboard(report),
        *_lineage(report),
        *_changes(report),
        *_search(report),
    ]
    return "\n\n".join(parts) + "\n"


def _text(value: str) -> str:
    """Return untrusted text on one line, with what Markdown or HTML would act on escaped."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", one_line(value))


def _code(value: str) -> str:
    """Return an id as code; one that could end the code is plain text."""
    return f"`{value}`" if value.isalnum() else _text(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _judged(judged: Judged | None) -> str:
    if judged is None:
        return NONE
    return (
        _text(judged.status) if judged.pgr is None else estimate(judged.pgr, judged.pgr_low, judged.pgr_high, judged.instances)
    )


def _final(report: Report) -> list[str]:
    if not report.comparisons:
        return []
    rows = [
        [
            _text(line.domain) + (" (held out)" if line.held_out else ""),
            _judged(line.champion),
            _judged(line.human),
            number(line.difference, sign=True),
            number(line.lower_bound, sign=True),
        ]
        for line in report.comparisons
    ]
    return ["## PGR on fresh instances", _table(["domain", "champion", "human best", "difference", "95 % lower bound"], rows)]


def _scale(report: Report) -> list[str]:
    if report.scale is None:
        return []
    rows = [
        [
            _text(line.size), _judged(line.champion), _judged(line.human),
            _text(estimate(line.difference, line.low, line.high, line.instances)),
        ]
        for line in report.scale.lines
    ]  # fmt: skip
    heads = ["size", "champion", "human best", "difference"]
    return ["## PGR by size of model", _table(heads, rows), _text(report.scale.sentence) + "."]


def _contested(report: Report) -> list[str]:
    rows = [
        [
            _code(short(one.method)), NONE if one.pgr is None else estimate(one.pgr, one.pgr_low, one.pgr_high, one.instances),
            "lost" if one.flagged else "kept", _text("; ".join(one.evidence)),
        ]
        for one in report.contested
    ]  # fmt: skip
    return ["## Contested finalists", _table(["method", "fresh PGR", "place", "what the probes saw"], rows)] if rows else []


def _leaderboard(report: Report) -> list[str]:
    rows = [
        [
            str(place), _text(row.label), _text(row.made_by), number(row.fitness),
            estimate(row.pgr, row.pgr_low, row.pgr_high, row.instances),
            estimate(row.fresh_pgr, row.fresh_low, row.fresh_high, row.fresh_instances),
            _text(row.direction), _text(row.flags),
        ]
        for place, row in enumerate(report.leaderboard[:_ROWS], 1)
    ]  # fmt: skip
    heads = ["", "method", "made by", "fitness", "dev PGR", "fresh PGR", "direction", "flags"]
    return [f"## The best {len(rows)} of {report.judged:,}", _table(heads, rows)] if rows else []


def _lineage(report: Report) -> list[str]:
    if report.lineage is None:
        return []
    rows = [
        [
            _text(ancestor.label), number(ancestor.pgr), _text(made_by(ancestor.operator, origin=ancestor.origin)),
            number(ancestor.gains[0], sign=True) if ancestor.gains else NONE, _text(ancestor.direction), _text(ancestor.idea),
        ]
        for ancestor in reversed(report.lineage.spine())
    ]  # fmt: skip
    return [
        f"## Lineage of {_text(report.champion)}",
        _table(["method", "dev PGR", "made by", "gain", "direction", "idea"], rows),
    ]


def _changes(report: Report) -> list[str]:
    parts: list[str] = []
    for change in report.changes[:1]:
        text = "\n".join(change.lines)
        longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        parts += [
            f"## The last step: {_text(change.before_label)} to {_text(change.after_label)}",
            f"{fence}diff\n{text}\n{fence}",
        ]
    return parts


def _arms(report: Report) -> list[str]:
    summed = over_islands(report.standing.arms)
    rows = [
        [
            _text(arm.operator), _text(arm.model), str(arm.tried), str(arm.placed), number(arm.gain), str(arm.tokens),
            money(arm.usd) if arm.calls else NONE,
        ]
        for arm in summed
    ]  # fmt: skip
    heads = ["operator", "model", "tried", "elites", "gain", "tokens", "cost"]
    return ["## Arms", _text(explained(summed)), _table(heads, rows)] if rows else []


def _directions(report: Report) -> list[str]:
    rows = [[_text(line.name), str(line.tried), str(line.placed), _text(descent(line))] for line in report.standing.directions]
    return ["## Directions", _table(["direction", "tried", "elites", "from"], rows)] if rows else []


def _search(report: Report) -> list[str]:
    parts: list[str] = [*_arms(report), *_directions(report)]
    if report.operators:
        heads = ["operator", "model", "proposals", "refused", "failed", "elites", "mean gain", "best gain"]
        rows = [
            [
                _text(line.name), _text(line.model), str(line.proposals), str(line.refused), str(line.failed), str(line.placed),
                number(line.mean_gain, sign=True), number(line.best_gain, sign=True),
            ]
            for line in report.operators
        ]  # fmt: skip
        parts += ["## Operators", _table(heads, rows)]
    if report.failures:
        lines = [[_text(line.status), str(line.count), _text(line.reason)] for line in report.failures]
        parts += ["## Failures", _table(["status", "count", "reason"], lines)]
    return parts
