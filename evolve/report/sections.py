"""The sections of the page that show what was found: final table, curve, grid, lineage, changes, leaderboard."""

from __future__ import annotations

from collections.abc import Collection

from evolve.report.changes import Change
from evolve.report.charts import forest, pgr_chart
from evolve.report.data import Report
from evolve.report.grids import heat_picture, lineage_picture
from evolve.report.markup import Safe, join, tag
from evolve.report.parts import Column, anchor, code, figure, fold, gain_bar, guess, link, row, section, strip, table
from evolve.report.tables import Comparison, Judged
from evolve.report.wording import NONE, count, number

_MOST_LINES = 300
_FIRST = 25  # rows of the leaderboard that are open


def final_section(report: Report, linked: Collection[str]) -> Safe:
    """Return champion against human best on fresh instances of every domain."""
    note = (
        "Every instance here was drawn after selection had ended. Held-out domains entered no prompt, no score and no choice. "
        "PGR 0 is the weak teacher, 1 the strong ceiling."
    )
    if not report.comparisons:
        waiting = (
            "The champion is judged on fresh instances and held-out domains when the search ends; this run is not there yet."
        )
        return section("result", "Result", "", tag("p", waiting))
    now = report.standing
    ours = link(now.best.method, now.best.label, linked) if now.best else join(NONE)
    theirs = link(now.human_best.method, now.human_best.label, linked) if now.human_best else join(NONE)
    columns = [Column("Domain"), Column("n", "n"), Column("Champion"), Column("Human best"), Column("Difference, ≥", "n")]
    rows = [row(columns, _compared(comparison)) for comparison in report.comparisons]
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
    return section("result", "Result", note, names, both, _few(report))


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
    return join(judged.status) if judged.pgr is None else guess(judged.pgr, judged.pgr_low, judged.pgr_high)


def curve_section(report: Report) -> Safe:
    """Return PGR so far."""
    note = (
        "On dev instances, which the search selects on: they flatter, so the champion's fresh PGR stands beside them. "
        f"{count(report.curve.evaluations, 'evaluation')} of bred methods."
    )
    keys = (
        ("", "best method so far, mean dev PGR, nominal 90 % interval"),
        ("dashed", "its fitness, a lower confidence bound"),
        ("amber", "human best"),
        ("grey", "other baselines"),
        ("blob", "one evaluation"),
        ("blob cutblob", "stopped early by the race"),
    )
    key = tag("ul", *(tag("li", tag("span", class_=class_ or None), text) for class_, text in keys), class_="key")
    caption = "Baselines stand at their fresh PGR where it is known, else at dev."
    return section("curve", "PGR so far", note, key, figure(pgr_chart(report), caption))


def grid_section(report: Report, linked: Collection[str]) -> Safe:
    """Return the heat maps."""
    if not report.maps:
        return Safe()
    whole, *islands = report.maps
    note = (
        f"MAP-Elites keeps the fittest method of every cell: {whole.occupied} of {whole.cells} cells are occupied. The value "
        "is fitness, a lower bound on PGR. Agreement with the teacher runs from elicitation (left) to imitation (right)."
    )
    if whole.x.name != "teacher_agreement":
        note = note.partition(" Agreement")[0]
    names = ["below 0", *(f"{number(low / 8)}–{number((low + 1) / 8)}" for low in range(8))]
    legend = tag(
        "ul", *(tag("li", name, class_=f"h{index}") for index, name in enumerate(names)), class_="scale", aria_label="Colours"
    )
    small = [
        tag("figure", tag("h3", f"{heat.title}: {heat.occupied} cells"), heat_picture(heat, linked, large=False))
        for heat in islands
    ]
    rest = tag("div", *small, class_="islands") if small else Safe()
    large = tag("figure", tag("h3", whole.title), heat_picture(whole, linked, large=True), legend)
    return section("grid", "The grid", note, tag("div", large, rest, class_="gridplot"))


def lineage_section(report: Report, linked: Collection[str]) -> Safe:
    """Return the champion's ancestry."""
    tree = report.lineage
    if tree is None or not tree.ancestors:
        return Safe()
    spine = tree.spine()
    columns = [
        Column("", "n"), Column("Method"), Column("Operator"), Column("Direction", "text"), Column("Idea", "text"),
        Column("Dev PGR", "n"), Column("Gain", "n"),
    ]  # fmt: skip
    most = max((abs(a.gains[0]) for a in spine if a.gains and a.gains[0] is not None), default=0.0)
    rows = [
        row(
            columns,
            [
                str(place), link(a.method, a.label, linked), a.operator or a.origin, a.direction or NONE, a.idea or NONE,
                number(a.pgr), gain_bar(a.gains[0], most) if a.gains else NONE,
            ],
        )
        for place, a in enumerate(reversed(spine), 1)
    ]  # fmt: skip
    human = report.standing.human_best.method if report.standing.human_best else ""
    note = "Generations from left to right, height is dev PGR. Numbers are rows of the table; thin lines lead to other parents."
    lines = table("The line of first parents, from the seed", columns, rows)
    return section("lineage", f"Lineage of {report.champion}", note, figure(lineage_picture(tree, human)), lines)


def changes_section(report: Report) -> Safe:
    """Return the diffs of the best methods against their parents, and the best method's source."""
    if not report.changes and not report.source:
        return Safe()
    source = fold(f"{report.champion}: the whole file", code(report.source)) if report.source else Safe()
    folds = [_change(change, is_open=index == 0) for index, change in enumerate(report.changes)]
    return section(
        "changes", "What changed", "The last step to each of the best methods, against its first parent.", *folds, source
    )


def _change(change: Change, *, is_open: bool) -> Safe:
    gain = f"gain {number(change.gain, sign=True)}" if change.gain is not None else "gain unknown"
    made = ", ".join(part for part in (change.operator, change.direction, gain) if part)
    summary = join(tag("strong", f"{change.before_label} → {change.after_label}"), f"  {made}")
    lines = [tag("span", line or " ", class_=_kind(line)) for line in change.lines[2:_MOST_LINES]]
    left = len(change.lines) - _MOST_LINES
    more = tag("p", f"{count(left, 'more line')} not shown.", class_="note") if left > 0 else Safe()
    idea = tag("p", change.idea, class_="note") if change.idea else Safe()
    return fold(summary, idea, tag("pre", *lines, tabindex=0), more, is_open=is_open)


def _kind(line: str) -> str:
    return {"+": "add", "-": "del", "@": "hunk"}.get(line[:1], "same")


def leaderboard_section(report: Report) -> Safe:
    """Return the best methods."""
    cut = report.judged > len(report.leaderboard)
    most = len(report.leaderboard)
    note = (f"The best {most} of {report.judged:,} methods. " if cut else "") + (
        "By fitness, the lower confidence bound on PGR over dev instances. Teal: bred; amber: human. The strip runs from 0 to "
        "1 and shows fresh PGR where it is known."
    )
    if not report.leaderboard:
        return section("leaderboard", "Leaderboard", "", tag("p", "Nothing has been judged OK yet."))
    columns = [
        Column("", "n"), Column("Method"), Column("Made by"), Column("Fitness", "n"), Column("Dev PGR"), Column("Fresh PGR"),
        Column("0 to 1", "strip"), Column("Island / cell"), Column("Direction", "text"),
    ]  # fmt: skip
    rows = [
        row(
            columns,
            [
                str(place), join(link(r.method, r.label, ()), tag("span", r.flags, class_="tag") if r.flags else Safe()),
                r.operator or r.origin, number(r.fitness), guess(r.pgr, r.pgr_low, r.pgr_high),
                guess(r.fresh_pgr, r.fresh_low, r.fresh_high), strip(r), NONE if r.island is None else f"{r.island} / {r.cell}",
                r.direction or NONE,
            ],
            name=anchor(r.method),
            class_="top" if r.method == report.standing.champion else "",
        )
        for place, r in enumerate(report.leaderboard, 1)
    ]  # fmt: skip
    first, rest = rows[:_FIRST], rows[_FIRST:]
    more = fold(f"The next {len(rest)}", table("Methods by fitness, continued", columns, rest)) if rest else Safe()
    return section("leaderboard", "Leaderboard", note, table("Methods by fitness", columns, first), more)
