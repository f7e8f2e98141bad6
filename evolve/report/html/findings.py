"""Writes the sections of the page that show what was found: final table, curve, grid, lineage, changes."""

from __future__ import annotations

from collections.abc import Sequence

from archives.history import Point
from evolve.queries.changes import SourceChange
from evolve.queries.final_table import Comparison, Judged
from evolve.queries.run_report import Report
from evolve.report.html.charts import forest, pgr_chart, series_chart
from evolve.report.html.grids import heat_legend, heat_picture, heat_table
from evolve.report.html.lineage import lineage_picture
from evolve.report.html.markup import Safe, coloured, join, tag
from evolve.report.html.parts import Column, as_table, code, figure, fold, gain_bar, guess, link, section, table
from evolve.text import NONE, clean, count, number

_MOST_LINES = 300
_MOST_SOURCE = 60_000  # characters


def final_section(report: Report) -> Safe:
    """Return champion against human best on fresh instances of every domain; nothing before they were judged."""
    note = (
        "Every instance here was drawn after selection had ended. Held-out domains entered no prompt, no score and no choice. "
        f"PGR 0 is {report.words.floor}, 1 {report.words.ceiling}."
    )
    if not report.comparisons:  # the head says what is waited for
        return section("result", "Result", note, contested_table(report)) if report.contested else Safe()
    now = report.standing
    ours = link(now.best.method, now.best.label) if now.best else join(NONE)
    theirs = link(now.human_best.method, now.human_best.label) if now.human_best else join(NONE)
    columns = [Column("Domain"), Column("n", "n"), Column("Champion"), Column("Human best"), Column("Difference, ≥", "n")]
    rows = [_compared(comparison) for comparison in report.comparisons]
    caption = "Mean PGR with 90 % interval; difference on the same instances with its one-sided 95 % lower bound"
    names = tag("p", "Champion: ", ours, ". Human best, the best file in seeds/ on the same instances: ", theirs, ".")
    picture = forest(report.comparisons, report.champion, now.human_best.label if now.human_best else "")
    human = now.human_best.label if now.human_best else ""
    both = tag(
        "div",
        figure(picture, f"Teal: the champion. Amber: {human}, the human best."),
        table(caption, columns, rows),
        class_="two",
    )
    return section("result", "Result", note, names, both, _few(report), scale_table(report), contested_table(report))


def scale_table(report: Report) -> Safe:
    """Return the champion and the human best on each size of model; nothing where the run was not asked for it."""
    if report.scale is None:
        return Safe()
    columns = [Column("Size"), Column("n", "n"), Column("Champion"), Column("Human best"), Column("Difference")]
    rows = [
        [
            line.size,
            str(line.instances),
            _side(line.champion),
            _side(line.human),
            guess(line.difference, line.low, line.high, line.instances),
        ]
        for line in report.scale.lines
    ]
    caption = "PGR by size of model, on the same instances, with 90 % intervals"
    return join(table(caption, columns, rows), tag("p", report.scale.sentence, class_="note"))


def contested_table(report: Report) -> Safe:
    """Return the finalists that a probe failed somewhere, with the evidence; nothing when there are none."""
    if not report.contested:
        return Safe()
    columns = [Column("Finalist"), Column("Fresh PGR"), Column("Place"), Column("What the probes saw", "text")]
    rows = [
        [
            link(one.method, one.name),
            join(NONE) if one.pgr is None else guess(one.pgr, one.pgr_low, one.pgr_high, one.instances),
            "lost" if one.flagged else "kept",
            "; ".join(one.evidence),
        ]
        for one in report.contested
    ]
    return table("Contested: a probe failed them on instances that selection never saw", columns, rows)


def _few(report: Report) -> Safe:
    """Say where an interval leans on the spread seen in the search domain."""
    most = max((c.champion.trials for c in report.comparisons if c.champion and not c.held_out), default=0)
    few = [c.domain for c in report.comparisons if c.held_out and c.champion and c.champion.trials < most]
    if not few:
        return Safe()
    text = f"{', '.join(few)}: few instances; their spread is taken to be at least that of all methods on the search domain."
    return tag("p", text, class_="note")


def _compared(comparison: Comparison) -> list[str]:
    domain = join(comparison.domain, tag("span", "held out" if comparison.held_out else "search", class_="tag"))
    trials = max((side.trials for side in (comparison.champion, comparison.human) if side), default=0)
    difference = number(comparison.difference, sign=True)
    if comparison.lower_bound is not None:
        difference = join(difference, tag("span", f" ≥ {number(comparison.lower_bound, sign=True)}", class_="interval"))
    return [domain, str(trials), _side(comparison.champion), _side(comparison.human), difference]


def _side(judged: Judged | None) -> Safe:
    if judged is None:
        return join(NONE)
    return join(judged.status) if judged.pgr is None else guess(judged.pgr, judged.pgr_low, judged.pgr_high, judged.instances)


def curve_section(report: Report) -> Safe:
    """Return PGR so far."""
    note = (
        "On dev instances, which the search selects on: they flatter, so the champion's fresh PGR stands beside them. "
        f"{count(report.curve.evaluations, 'evaluation')} of bred methods. Baselines stand at their fresh PGR where it is "
        "known, else at dev."
    )
    if not report.curve.dots and not report.baselines:
        judged = count(report.curve.evaluations, "evaluation")
        nothing = f"None of the {judged} ended OK." if report.curve.evaluations else "No bred method has been judged yet."
        return section("curve", "PGR so far", "", tag("p", nothing))
    keys = (
        ("", "best so far: the bred method of highest fitness; mean dev PGR, nominal 90 % interval"),
        ("dashed", "its fitness, a lower confidence bound"),
        ("amber", "human best"),
        ("grey", "other baselines"),
        ("blob", "one evaluation"),
        ("blob cutblob", "stopped early by the race"),
    )
    key = tag("ul", *(tag("li", tag("span", class_=class_ or None), text) for class_, text in keys), class_="key")
    columns = [Column("Evaluation", "n"), Column("Best so far"), Column("Fitness", "n"), Column("Dev PGR")]
    rows = [
        [
            f"{one.evaluation:,}",
            link(one.method, one.label),
            number(one.fitness),
            guess(one.pgr, one.pgr_low, one.pgr_high, one.instances),
        ]
        for one in report.curve.best
    ]
    numbers = as_table("Every method that was the best when it was judged", columns, rows)
    return section("curve", "PGR so far", note, key, figure(pgr_chart(report)), numbers)


def grid_section(report: Report, progress: Sequence[Point]) -> Safe:
    """Return the heat maps, and how the grid filled."""
    if not report.maps:
        return Safe()
    whole, *islands = report.maps
    note = (
        f"MAP-Elites keeps the fittest method of every cell: {whole.occupied} of {whole.cells} cells are occupied. The value "
        "is fitness, a lower bound on PGR."
    )
    if whole.x.name == report.words.axis:
        note += f" {report.words.along}"
    small = [
        tag("figure", tag("h3", heat.title, tag("span", f" {count(heat.occupied, 'cell')}", class_="soft")),
            heat_picture(heat, large=False))
        for heat in islands
    ]  # fmt: skip
    rest = tag("div", *small, class_="islands") if small else Safe()
    large = tag("figure", tag("h3", whole.title), heat_picture(whole, large=True), heat_legend())
    maps = tag("div", large, rest, class_="gridplot")
    return section("grid", "The grid", f"{note} {whole.note}".strip(), maps, heat_table(report.maps), _filling(progress))


def _filling(progress: Sequence[Point]) -> Safe:
    """Return coverage and QD-score over the evaluations."""
    if len(progress) < 2:
        return Safe()
    coverage = [(float(point.judged), 100 * point.coverage) for point in progress]
    score = [(float(point.judged), point.qd_score) for point in progress]
    most = max(max(value for _, value in score), 0.01)
    charts = (
        ("Coverage, % of the cells", series_chart(coverage, "Coverage", most=100, over="evaluations")),
        ("QD-score, the sum of the elites' fitness", series_chart(score, "QD-score", most=most, over="evaluations")),
    )
    columns = [Column("Evaluations", "n"), Column("Coverage", "n"), Column("QD-score", "n")]
    points = [*progress[: -1 : max(1, len(progress) // 20)], progress[-1]]
    rows = [[f"{p.judged:,}", f"{p.coverage:.0%}", f"{p.qd_score:.2f}"] for p in points]
    both = tag("div", *(tag("div", tag("h3", title), figure(chart)) for title, chart in charts), class_="two filling")
    return join(both, as_table("How the grid filled, all islands together", columns, rows))


def lineage_section(report: Report) -> Safe:
    """Return the champion's ancestry."""
    tree = report.lineage
    if tree is None or not tree.ancestors:
        return Safe()
    spine = tree.spine()
    if len(tree.ancestors) == 1:
        alone = f"{report.champion} has no parents in this run."
        return section("lineage", f"Lineage of {report.champion}", "", tag("p", alone))
    columns = [
        Column("Step", "n"), Column("Method"), Column("Operator"), Column("Direction", "text"), Column("Idea", "text"),
        Column("Dev PGR", "n"), Column("Gain", "n"),
    ]  # fmt: skip
    most = max((abs(a.gains[0]) for a in spine if a.gains and a.gains[0] is not None), default=0.0)
    rows = [
        [
            str(place), link(a.method, a.label), a.operator or a.origin, a.direction or NONE, a.idea or NONE,
            number(a.pgr), gain_bar(a.gains[0], most) if a.gains else NONE,
        ]
        for place, a in enumerate(reversed(spine), 1)
    ]  # fmt: skip
    human = report.standing.human_best.method if report.standing.human_best else ""
    note = (
        "From the seed to the best: generations from left to right, height is dev PGR, numbers on the bold line are the gain "
        "of each step. Thin lines lead to other parents."
    )
    lines = table("The line of first parents, from the seed", columns, rows)
    return section("lineage", f"Lineage of {report.champion}", note, figure(lineage_picture(tree, human)), lines)


def changes_section(report: Report) -> Safe:
    """Return the diffs of the best methods against their parents, and the best method's source."""
    if not report.changes and not report.source:
        return Safe()
    source = clean(report.source[:_MOST_SOURCE])
    whole = fold(f"{report.champion}: the whole file", code(coloured(source))) if source else Safe()
    folds = [_change(change, is_open=index == 0) for index, change in enumerate(report.changes)]
    note = "The last step to each of the best methods, against its first parent."
    return section("changes", "What changed", note, *folds, whole)


def _change(change: SourceChange, *, is_open: bool) -> Safe:
    gain = f"gain {number(change.gain, sign=True)}" if change.gain is not None else "gain unknown"
    made = ", ".join(part for part in (change.operator, change.direction, gain) if part)
    summary = join(tag("strong", f"{change.before_label} → {change.after_label}"), f"  {made}")
    idea = tag("p", change.idea, class_="note") if change.idea else Safe()
    return fold(summary, idea, diff_block(change), is_open=is_open)


def diff_block(change: SourceChange) -> Safe:
    """Return a diff, its first 300 lines, added and removed lines told apart by sign and colour."""
    if not change.lines:
        return tag("p", "The two have the same source.", class_="note")
    lines = [tag("span", line or " ", class_=_kind(line)) for line in change.lines[2:_MOST_LINES]]
    left = len(change.lines) - _MOST_LINES
    more = tag("p", f"{count(left, 'more line')} not shown.", class_="note") if left > 0 else Safe()
    return join(tag("pre", *lines, tabindex=0, class_="diff"), more)


def _kind(line: str) -> str:
    return {"+": "add", "-": "del", "@": "hunk"}.get(line[:1], "same")
