"""Draws the charts over a run: PGR so far, the final comparison, and the breadth of the search."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evolve.queries.best_so_far import Best, Curve
from evolve.queries.diversity import DiversityPoint
from evolve.queries.final_table import Comparison, Judged
from evolve.queries.leaderboard import LeaderboardRow
from evolve.queries.run_report import Report
from evolve.queries.words import CalledNumbers
from evolve.report.html.axes import Scale, picture, rule, spaced, trace, whisker, words_at
from evolve.report.html.markup import Safe, join, tag
from evolve.report.html.parts import anchor
from evolve.text import estimate, number

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 1000.0, 420.0, 44.0, 14.0, 44.0
_LETTER = 8.2  # units of a chart that a letter of a domain's name takes, nearly
_GUTTER = 190.0


def pgr_chart(report: Report) -> Safe:
    """Return PGR so far: every evaluation as a dot, the best method as a line with its interval, baselines as rules."""
    curve = report.curve
    right = _WIDTH - _GUTTER
    lowest = min([0.0, *(dot.pgr for dot in curve.dots), *(row.pgr or 0.0 for row in report.baselines)])
    highest = max([1.0, *(best.pgr_high or best.pgr for best in curve.best)])
    y = Scale(max(lowest, -0.4) - 0.03, highest + 0.03, _HEIGHT - _BOTTOM, _TOP)
    x = Scale(0, max(curve.evaluations, 1), _LEFT, right)
    dots = [
        tag("circle", cx=round(x(dot.evaluation), 1), cy=round(y(dot.pgr), 1), r=2.2, class_="dot" if dot.whole else "dot cut")
        for dot in curve.dots
        if dot.pgr >= y.low
    ]
    best = curve.best[-1] if curve.best else None
    about = f"{curve.evaluations} evaluations. " + (
        f"Dev PGR of the best so far rose from {number(curve.best[0].pgr)} to {number(best.pgr)}."
        if best
        else "No bred method has a fitness yet."
    )
    return picture(
        (_WIDTH, _HEIGHT), "PGR so far", about, _frame(x, y, right, report.words),
        *_baselines(report.baselines, report, y, right),
        tag("g", *dots), _best(curve, x, y), _fresh(report, y, right), name="curve", least=860.0, links=True,
    )  # fmt: skip


def _frame(x: Scale, y: Scale, right: float, words: CalledNumbers) -> Safe:
    """Return the grid lines, tick labels and axis titles."""
    parts: list[Safe] = []
    for tick in y.ticks(6):
        anchor = tick in (0.0, 1.0)
        parts.append(rule(_LEFT, y(tick), right, y(tick), "axis" if anchor else "grid"))
        parts.append(words_at(_LEFT - 8, y(tick) + 4, number(tick), "tick", "end"))
    for whole in x.counts(8):
        parts.append(words_at(x(whole), _HEIGHT - _BOTTOM + 18, f"{whole:,}", "tick", "middle"))
    parts.append(words_at((_LEFT + right) / 2, _HEIGHT - 6, "evaluations", "name", "middle"))
    parts.append(words_at(_LEFT + 6, y(1.0) - 5, f"PGR 1: {words.ceiling}", "tick"))
    parts.append(words_at(_LEFT + 6, y(0.0) + 14, f"PGR 0: {words.floor}", "tick"))
    return join(*parts)


def _baselines(baselines: Sequence[LeaderboardRow], report: Report, y: Scale, right: float) -> list[Safe]:
    """Return a rule for every seed, and the names that fit beside them: the human best and vanilla first."""
    human = report.standing.human_best.method if report.standing.human_best else ""
    scored = [(row, row.pgr if row.fresh_pgr is None else row.fresh_pgr) for row in baselines]
    known = [(row, score) for row, score in scored if score is not None]
    known.sort(key=lambda pair: (pair[0].method != human, pair[0].name != "vanilla"))
    fits = spaced([y.inside(score) for _, score in known], 13.0)
    parts: list[Safe] = []
    for (row, score), fit in zip(known, fits):
        class_ = "human" if row.method == human else "seed"
        title, height = tag("title", f"{row.label}: {number(score)}"), y.inside(score)
        parts.append(tag("line", title, x1=_LEFT, y1=height, x2=right, y2=height, class_=f"{class_} baseline"))
        if fit:
            parts.append(words_at(right + 60, y.inside(score) + 4, f"{row.label} {number(score)}", f"{class_} label"))
    return parts


def _best(curve: Curve, x: Scale, y: Scale) -> Safe:
    """Return the line of the best mean PGR with its interval, and the line of the best fitness below it."""
    if not curve.best:
        return Safe()
    edges = [*(best.evaluation for best in curve.best[1:]), curve.evaluations]
    mean, fitness, upper, lower = [], [], [], []
    for best, until in zip(curve.best, edges):
        low = best.fitness if best.pgr_low is None else best.pgr_low
        high = best.pgr if best.pgr_high is None else best.pgr_high
        for end in (x(best.evaluation), x(until)):
            mean.append((end, y.inside(best.pgr)))
            fitness.append((end, y.inside(best.fitness)))
            upper.append((end, y.inside(high)))
            lower.append((end, y.inside(low)))
    marks = [_mark(best, x, y) for best in curve.best]
    return join(trace([*upper, *reversed(lower)], "band"), trace(fitness, "fitness"), trace(mean, "best"), *marks)


def _mark(best: Best, x: Scale, y: Scale) -> Safe:
    scores = estimate(best.pgr, best.pgr_low, best.pgr_high, best.instances)
    title = f"evaluation {best.evaluation}: {best.label}, dev PGR {scores}"
    circle = tag("circle", cx=x(best.evaluation), cy=y.inside(best.pgr), r=4, class_="champion mark")
    return tag("a", tag("title", title), circle, href=f"#{anchor(best.method)}", aria_label=title)


def _fresh(report: Report, y: Scale, right: float) -> Safe:
    """Return the champion and the human best on fresh instances, beside the curve."""
    first = report.comparisons[0] if report.comparisons else None
    if first is None:
        return Safe()
    parts: list[Safe] = [rule(right + 8, _TOP, right + 8, _HEIGHT - _BOTTOM, "grid")]
    for place, judged, class_ in ((right + 24, first.champion, "champion"), (right + 44, first.human, "human")):
        if judged is not None and judged.pgr is not None:
            parts.append(whisker(place, judged.pgr_low, judged.pgr_high, judged.pgr, y, class_))
    if first.champion is not None and first.champion.pgr is not None:
        parts.append(
            words_at(right + 60, y.inside(first.champion.pgr) + 4, f"champion {number(first.champion.pgr)}", "champion label")
        )
    parts.append(words_at(right + 34, _HEIGHT - _BOTTOM + 34, "fresh", "tick", "middle"))
    return join(*parts)


def forest(comparisons: Sequence[Comparison], champion: str, human: str) -> Safe:
    """Return champion against human best on every domain, as means with intervals."""
    row, width = 46.0, 500.0
    left = max(92.0, 12.0 + _LETTER * max((len(comparison.domain) for comparison in comparisons), default=0))
    height = 34 + row * len(comparisons)
    sides = [
        (judged, c) for c in comparisons for judged in (c.champion, c.human) if judged is not None and judged.pgr is not None
    ]
    ends = [end for judged, _ in sides for end in (judged.pgr_low, judged.pgr_high, judged.pgr) if end is not None]
    x = Scale(max(min([0.0, *ends]), -1.0) - 0.02, min(max([1.0, *ends]), 1.5) + 0.02, left, width - 26)
    parts: list[Safe] = []
    for tick in x.ticks(6):
        parts.append(rule(x(tick), 8, x(tick), height - 26, "axis" if tick in (0.0, 1.0) else "grid"))
        parts.append(words_at(x(tick), height - 8, number(tick), "tick", "middle"))
    for index, comparison in enumerate(comparisons):
        middle = 8 + row * index + row / 2
        parts.append(words_at(0, middle, comparison.domain, "name strong"))
        parts.append(words_at(0, middle + 14, "held out" if comparison.held_out else "search domain", "tick"))
        parts.append(_side(comparison.champion, x, middle - 8, "champion", f"{comparison.domain}, {champion}"))
        parts.append(_side(comparison.human, x, middle + 8, "human", f"{comparison.domain}, {human}"))
    about = "; ".join(f"{c.domain}: champion {_said(c.champion)}, human best {_said(c.human)}" for c in comparisons)
    return picture((width, height), "PGR on fresh instances, by domain", about, *parts, name="forest", least=300.0)


def _side(judged: Judged | None, x: Scale, y: float, class_: str, who: str) -> Safe:
    if judged is None:
        return Safe()
    if judged.pgr is None:
        return words_at(x.inside(0.0) + 8, y + 4, judged.status, f"{class_} label")
    low, high = judged.pgr_low, judged.pgr_high
    bar = rule(x.inside(low), y, x.inside(high), y, f"{class_} whisker") if low is not None and high is not None else Safe()
    return join(
        bar,
        tag("circle", tag("title", f"{who}: {_said(judged)}"), cx=x.inside(judged.pgr), cy=y, r=5, class_=f"{class_} point"),
    )


def _said(judged: Judged | None) -> str:
    if judged is None:
        return "not judged"
    return judged.status if judged.pgr is None else estimate(judged.pgr, judged.pgr_low, judged.pgr_high, judged.instances)


def breadth_charts(points: Sequence[DiversityPoint], entropy_max: float) -> tuple[Safe, Safe]:
    """Return the entropy of the directions, and the mean novelty of the prompts, over the run."""
    entropy = [(float(point.proposal), point.entropy) for point in points]
    novelty = [(float(point.proposal), point.novelty) for point in points]
    limit = f"most possible: {entropy_max:.1f}"
    return (
        series_chart(entropy, "Direction entropy, bits", most=max(entropy_max, 0.1), limit=limit),
        series_chart(novelty, "Prompt novelty, mean", most=1.0),
    )


def series_chart(
    points: Sequence[tuple[float, float]],
    title: str,
    *,
    most: float,
    limit: str = "",
    prefix: str = "",
    over: str = "proposals",
) -> Safe:
    """Return one value over the proposals (or what is said), up to `most`, which `limit` names."""
    width, height, left = 480.0, 170.0, 52.0
    y = Scale(0, most * 1.18, height - 34, 8)
    x = Scale(points[0][0], points[-1][0], left, width - 20)
    parts: list[Safe] = []
    for tick in y.ticks(4):
        shown = f"{prefix}{tick:,.10g}"
        parts += [rule(left, y(tick), width - 20, y(tick), "grid"), words_at(left - 6, y(tick) + 4, shown, "tick", "end")]
    if limit:
        parts += [rule(left, y(most), width - 20, y(most), "limit"), words_at(width - 20, y(most) - 5, limit, "tick", "end")]
    parts += [words_at(x(tick), height - 16, f"{tick:,}", "tick", "middle") for tick in x.counts(5) if x.low != x.high]
    parts.append(words_at((left + width) / 2, height - 4, over, "tick", "middle"))
    parts.append(trace([(x(at), y.inside(value)) for at, value in points], "series"))
    name = re.sub(r"[^a-z]+", "-", title.lower())
    about = f"From {prefix}{points[0][1]:,.4g} to {prefix}{points[-1][1]:,.4g} over the run."
    return picture((width, height), title, about, *parts, name=name, least=300.0)
