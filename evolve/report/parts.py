"""Pieces of the page that several sections use: tables, estimates, links to methods, small pictures in rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from evolve.nouns import short
from evolve.report.axes import Scale, rule
from evolve.report.markup import Safe, join, tag
from evolve.report.ranking import Ranked
from evolve.report.wording import NONE, interval, number


@dataclass(frozen=True)
class Column:
    """A column of a table; `class_` is n for numbers, text for what may fold."""

    head: str
    class_: str = ""


def table(caption: str, columns: Sequence[Column], rows: Sequence[Safe]) -> Safe:
    """Return a table with a caption, in a frame that scrolls when the screen is narrow."""
    head = tag("tr", *(tag("th", column.head, scope="col", class_=column.class_ or None) for column in columns))
    inside = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *rows))
    return tag("div", inside, class_="scroll", tabindex=0, role="group", aria_label=caption)


def row(columns: Sequence[Column], cells: Sequence[str], *, name: str = "", class_: str = "") -> Safe:
    """Return a row whose first cell heads it; `name` is its anchor."""
    first = tag("th", cells[0], scope="row", class_=columns[0].class_ or None)
    rest = [tag("td", cell, class_=column.class_ or None) for column, cell in zip(columns[1:], cells[1:])]
    return tag("tr", first, *rest, id=name or None, class_=class_ or None)


def guess(mean: float | None, low: float | None, high: float | None) -> Safe:
    """Return a mean with its interval."""
    ends = interval(low, high)
    return join(number(mean), tag("span", f" {ends}", class_="interval") if ends else Safe())


def anchor(method: str) -> str:
    """Return the name of a method's row in the leaderboard."""
    return f"m-{method[:12]}"


def link(method: str, label: str, linked: Collection[str]) -> Safe:
    """Return a method's name, linked to its row of the leaderboard when it has one."""
    shown = tag("span", label, class_="mono") if label == short(method) else join(label)
    return tag("a", shown, href=f"#{anchor(method)}") if method in linked else shown


def strip(ranked: Ranked) -> Safe:
    """Return a method's PGR with its interval on a line from 0 to 1: fresh where it is known, else dev."""
    fresh = ranked.fresh_pgr is not None
    mean = ranked.fresh_pgr if fresh else ranked.pgr
    low, high = (ranked.fresh_low, ranked.fresh_high) if fresh else (ranked.pgr_low, ranked.pgr_high)
    if mean is None:
        return Safe()
    class_ = "human" if ranked.origin == "seed" else "champion"
    x = Scale(-0.1, 1.1, 2, 138)
    bar = rule(x.inside(low), 8, x.inside(high), 8, f"{class_} whisker") if low is not None and high is not None else Safe()
    dot = tag("circle", cx=x.inside(mean), cy=8, r=3.6, class_=f"{class_} point")
    ends = [rule(x(0), 8, x(1), 8, "grid"), rule(x(0), 3, x(0), 13, "axis"), rule(x(1), 3, x(1), 13, "axis")]
    return tag("svg", *ends, bar, dot, viewbox="0 0 140 16", aria_hidden="true")


def gain_bar(gain: float | None, most: float) -> Safe:
    """Return a gain as a number with a bar whose length compares it with the largest."""
    if gain is None:
        return join(NONE)
    width = round(54 * abs(gain) / most) if most else 0
    bar = tag("span", class_="bar" if gain >= 0 else "bar down", style=f"width:{width}px", aria_hidden="true")
    return join(bar, number(gain, sign=True))


def section(name: str, title: str, note: str, *children: str) -> Safe:
    """Return a section with its heading and a note on how to read it."""
    about = tag("p", note, class_="note") if note else Safe()
    return tag("section", tag("h2", title, id=f"{name}-h"), about, *children, id=name, aria_labelledby=f"{name}-h")


def figure(picture: Safe, caption: str = "") -> Safe:
    """Return a picture with its caption."""
    return tag("figure", picture, tag("figcaption", caption) if caption else Safe())


def fold(summary: str, *children: str, is_open: bool = False) -> Safe:
    """Return something that opens on demand."""
    return tag("details", tag("summary", summary), tag("div", *children, class_="inner"), open="" if is_open else None)


def code(text: str) -> Safe:
    """Return source text."""
    return tag("pre", tag("code", text), tabindex=0)
