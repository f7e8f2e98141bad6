"""Draws the plots with matplotlib, in colours that colour-blind people tell apart (Okabe and Ito 2008; viridis)."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evolve.queries.best_so_far import Curve
from evolve.queries.leaderboard import LeaderboardRow
from evolve.queries.operators import OperatorStats, over_islands
from evolve.queries.run_report import Report
from evolve.report.html.axes import spaced
from evolve.text import one_line

WIDTH = 3.25  # inches: one column of a two-column paper
BLUE, VERMILION, GREY, LIGHT = "#0072B2", "#D55E00", "#7F7F7F", "#EDEDED"
COLOURS = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "oooo")
_NAME = 24  # characters of a name
_ROWS = 40  # methods, or arms, in one plot


def pgr_so_far(report: Report) -> Figure | None:
    """Draw every evaluation as a dot and the best method as a line with its interval, between the baselines and the ceiling."""
    curve, scored = report.curve, _scored(report.baselines)
    if not curve.dots and not scored:
        return None
    figure, axes = column(2.5)
    lowest = min([0.0, *(dot.pgr for dot in curve.dots), *(score for _, score in scored)])
    highest = max([1.0, *(best.pgr_high or best.pgr for best in curve.best)])
    axes.set_xlim(0, 1.015 * max(curve.evaluations, 1))
    axes.set_ylim(max(lowest, -0.4) - 0.04, min(highest, 1.6) + 0.04)
    rules = _rules(report, scored)
    for height, _, colour, width in rules:
        axes.axhline(height, color=colour, linewidth=width, zorder=1, linestyle=(0, (4, 2)) if height in (0.0, 1.0) else "-")
    _beside(axes, 1.5, [(height, text, colour) for height, text, colour, _ in rules if text])
    for whole, colour, text in ((True, "#666666", "judged"), (False, "#C4C4C4", "cut short by the race")):
        dots = [dot for dot in curve.dots if dot.whole is whole]
        if dots:
            axes.scatter(
                [dot.evaluation for dot in dots], [dot.pgr for dot in dots], 3, colour, linewidths=0, label=text, zorder=2
            )
    _best(axes, curve)
    axes.set_xlabel("evaluations")
    axes.set_ylabel("PGR on dev instances")
    axes.xaxis.set_major_locator(ticks(6, whole=True))
    if curve.dots:
        figure.legend(loc="outside upper left", ncols=2, columnspacing=1.2, handlelength=1.4, borderaxespad=0.2)
    return figure


def fresh(report: Report) -> Figure | None:
    """Draw the finalists and the human baselines on instances that selection never saw, with their intervals."""
    bred = [row for row in report.leaderboard if row.origin not in ("seed", "added") and not row.flags]
    rows = [(row, row.fresh_pgr) for row in (*bred, *report.baselines) if row.fresh_pgr is not None]
    if not rows:
        return None
    rows = sorted(rows, key=lambda pair: pair[1], reverse=True)[:_ROWS][::-1]
    figure, axes = column(0.75 + 0.145 * len(rows))
    human = report.standing.human_best
    kinds = (("finalist", BLUE, "o"), ("human best", VERMILION, "D"), ("human baseline", GREY, "s"))
    for text, colour, marker in kinds:
        shown = [(place, row, mean) for place, (row, mean) in enumerate(rows) if _kind(row, human) == text]
        if shown:
            places, means = [place for place, _, _ in shown], [mean for _, _, mean in shown]
            ends = [
                [mean - _or(row.fresh_low, mean) for _, row, mean in shown],
                [_or(row.fresh_high, mean) - mean for _, row, mean in shown],
            ]
            axes.errorbar(means, places, xerr=ends, fmt=marker, color=colour, markersize=3.2, elinewidth=1.0, label=text)
    for end in (0.0, 1.0):
        axes.axvline(end, color=GREY, linewidth=0.6, linestyle=(0, (4, 2)), zorder=0)
    axes.set_yticks(range(len(rows)), [one_line(row.label, _NAME) for row, _ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(ticks(6))
    axes.set_xlabel("PGR on fresh instances\n(mean and 90 % interval)")
    figure.legend(loc="outside upper left", ncols=3, columnspacing=1.0, handletextpad=0.3, borderaxespad=0.2)
    return figure


def entropy(report: Report) -> Figure | None:
    """Draw the entropy of the directions over the proposals, below the most that is possible."""
    points = report.spreads
    if len(points) < 2:
        return None
    figure, axes = column(1.7)
    axes.plot([point.proposal for point in points], [point.entropy for point in points], color=BLUE, clip_on=False)
    axes.axhline(report.entropy_max, color=GREY, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.set_xlim(points[0].proposal, points[-1].proposal)
    axes.set_ylim(0, 1.08 * max(report.entropy_max, *(point.entropy for point in points), 0.1))
    _beside(axes, 1.0, [(report.entropy_max, "most possible", GREY)])
    axes.xaxis.set_major_locator(ticks(6, whole=True))
    axes.set_xlabel("proposals")
    axes.set_ylabel("direction entropy (bits)")
    return figure


def gains(report: Report) -> Figure | None:
    """Draw what each operator, with each model, gained over its parents, and how many of its children became elites."""
    arms = [arm for arm in over_islands(report.standing.arms) if arm.tried]
    if not arms:
        return None
    arms = sorted(arms, key=lambda arm: (arm.gain, arm.tried), reverse=True)[:_ROWS][::-1]
    models = sorted({arm.model for arm in arms})
    figure, axes = column(0.75 + 0.16 * len(arms))
    looks = {model: (COLOURS[i % len(COLOURS)], _HATCHES[i // len(COLOURS) % len(_HATCHES)]) for i, model in enumerate(models)}
    for model, look in looks.items():
        _bars(axes, arms, model, *look)
    widest = max(max(arm.gain for arm in arms), 0.1)
    axes.set_xlim(0, 1.22 * widest)
    for place, arm in enumerate(arms):
        axes.annotate(
            f"{arm.placed:,} of {arm.tried:,}", (arm.gain, place), (3, 0), textcoords="offset points", va="center", fontsize=6
        )
    axes.set_yticks(range(len(arms)), [one_line(arm.operator, _NAME) for arm in arms])
    for name, arm in zip(axes.get_yticklabels(), arms):
        name.set_color(looks[arm.model][0])
    axes.set_ylim(-0.6, len(arms) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("PGR gained over the first parent, sum\n(beside it: elites of proposals)")
    figure.legend(loc="outside upper left", ncols=2, columnspacing=1.0, handlelength=1.2, borderaxespad=0.2)
    return figure


def column(height: float) -> tuple[Figure, Axes]:
    """Return a figure of a column's width with one pair of axes."""
    figure = Figure((WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def ticks(most: int, *, whole: bool = False) -> MaxNLocator:
    """Return what places at most so many round ticks."""
    return MaxNLocator(most, steps=[1, 2, 5, 10], integer=whole)


def _scored(baselines: Sequence[LeaderboardRow]) -> list[tuple[LeaderboardRow, float]]:
    return [(row, row.pgr) for row in baselines if row.pgr is not None]


def _rules(report: Report, scored: Sequence[tuple[LeaderboardRow, float]]) -> list[tuple[float, str, str, float]]:
    """Return height, text, colour and width of every rule, the most important first."""
    human = report.standing.human_best.method if report.standing.human_best else ""
    ordered = sorted(scored, key=lambda pair: (pair[0].method != human, pair[0].name != "vanilla"))
    anchors = (text.removeprefix("the ") for text in (report.words.ceiling, report.words.floor))
    found = [(height, text, GREY, 0.8) for height, text in zip((1.0, 0.0), anchors)]
    for row, score in ordered:
        best = row.method == human
        text = one_line(row.label, _NAME) + (", human best" if best and len(row.label) < _NAME // 2 else "")
        found.append((score, text, VERMILION if best else GREY, 1.0 if best else 0.4))
    return found


def _beside(axes: Axes, inches: float, labels: Sequence[tuple[float, str, str]]) -> None:
    """Write labels to the right of axes so many inches high, those that fit, the first ones first."""
    low, high = axes.get_ylim()
    inside = [label for label in labels if low <= label[0] <= high]
    fits = spaced([height for height, _, _ in inside], 0.105 * (high - low) / inches)
    for (height, text, colour), fit in zip(inside, fits):
        if fit:
            axes.annotate(
                text, (1.0, height), (3, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                color=colour, fontsize=6,
            )  # fmt: skip


def _best(axes: Axes, curve: Curve) -> None:
    if not curve.best:
        return
    steps = [*curve.best, curve.best[-1]]
    places = [*(best.evaluation for best in curve.best), axes.get_xlim()[1]]
    low = [_or(best.pgr_low, best.fitness) for best in steps]
    high = [_or(best.pgr_high, best.pgr) for best in steps]
    axes.fill_between(places, low, high, step="post", color=BLUE, alpha=0.18, linewidth=0, label="its 90 % interval", zorder=3)
    axes.step(places, [best.pgr for best in steps], where="post", color=BLUE, label="best so far, mean", zorder=4)
    axes.step(
        places, [best.fitness for best in steps], where="post", color=BLUE, linewidth=0.8, linestyle=":",
        label="its fitness (lower bound)", zorder=4,
    )  # fmt: skip


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _kind(row: LeaderboardRow, human: LeaderboardRow | None) -> str:
    if row.origin not in ("seed", "added"):
        return "finalist"
    return "human best" if human and row.method == human.method else "human baseline"


def _bars(axes: Axes, arms: Sequence[OperatorStats], model: str, colour: str, hatch: str) -> None:
    shown = [(place, arm.gain) for place, arm in enumerate(arms) if arm.model == model]
    places, widths = [place for place, _ in shown], [gain for _, gain in shown]
    name = one_line(model, _NAME) if model else "no model"
    axes.barh(places, widths, 0.62, color=colour, hatch=hatch, edgecolor="white", linewidth=0, label=name)
