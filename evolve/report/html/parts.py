"""Builds what several sections use: tables, estimates, links to methods, small pictures in rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from evolve.report.html.axes import rule
from evolve.report.html.markup import Safe, join, tag
from evolve.text import NONE, interval, number, short

KEY = 12  # characters of a method's id that name its page


@dataclass(frozen=True)
class Column:
    """A column of a table; `class_` is n for numbers, text for what may fold."""

    head: str
    class_: str = ""


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Safe:
    """Return a table of cells with a caption, in a frame that scrolls when the screen is narrow."""
    head = tag("tr", *(tag("th", column.head, scope="col", class_=column.class_ or None) for column in columns))
    body = tag("tbody", *(_row(columns, cells) for cells in rows))
    inside = tag("table", tag("caption", caption), tag("thead", head), body)
    return tag("div", inside, class_="scroll", tabindex=0, role="group", aria_label=caption)


def _row(columns: Sequence[Column], cells: Sequence[str]) -> Safe:
    """Return a row whose first cell heads it."""
    first = tag("th", cells[0], scope="row", class_=columns[0].class_ or None)
    rest = [tag("td", cell, class_=column.class_ or None) for column, cell in zip(columns[1:], cells[1:])]
    return tag("tr", first, *rest)


def guess(mean: float | None, low: float | None, high: float | None, n: int = 0) -> Safe:
    """Return a mean with its interval."""
    ends = interval(low, high, n)
    return join(number(mean), tag("span", f" {ends}", class_="interval") if ends else Safe())


def anchor(method: str) -> str:
    """Return the name of a method's page: what follows # in its address."""
    plain = re.fullmatch(r"[0-9a-f]+", method)  # ids of an archive that somebody tampered with may be any text
    return f"m-{method[:KEY] if plain else hashlib.sha256(method.encode('utf-8', 'replace')).hexdigest()[:KEY]}"


def link(method: str, label: str) -> Safe:
    """Return a method's name, linked to its page."""
    shown = tag("span", label, class_="mono") if label == short(method) else join(label)
    return tag("a", shown, href=f"#{anchor(method)}")


def strip(middle: int | None, low: int | None, high: int | None, class_: str) -> Safe:
    """Return a PGR with its interval, all in hundredths, on a line from 0 to 1."""
    if middle is None:
        return Safe()
    ends = [rule(20, 8, 120, 8, "grid"), rule(20, 3, 20, 13, "axis"), rule(120, 3, 120, 13, "axis")]
    bar = Safe()
    if low is not None and high is not None:
        bar = rule(_pixel(low), 8, _pixel(high), 8, f"{class_} whisker")
    dot = tag("circle", cx=_pixel(middle), cy=8, r=4, class_=f"{class_} point")
    return tag("svg", *ends, bar, dot, viewbox="0 0 140 16", width=140, height=16, aria_hidden="true")


def _pixel(hundredths: int) -> int:
    return min(max(20 + hundredths, 2), 138)


def bar(value: float, most: float, class_: str = "bar") -> Safe:
    """Return a bar whose length compares a value with the largest."""
    width = max(1, round(54 * abs(value) / most)) if most else 1
    inside = tag("rect", width=width, height=9, rx=2)
    return tag("svg", inside, width=width, height=9, class_=class_, aria_hidden="true")


def gain_bar(gain: float | None, most: float) -> Safe:
    """Return a gain as a number with a bar whose length compares it with the largest."""
    if gain is None:
        return join(NONE)
    return join(bar(gain, most, "bar" if gain >= 0 else "bar down"), number(gain, sign=True))


def section(name: str, title: str, note: str, *children: str) -> Safe:
    """Return a section with its heading and a note on how to read it."""
    about = tag("p", note, class_="note") if note else Safe()
    return tag("section", tag("h2", title, id=f"{name}-h"), about, *children, id=name, aria_labelledby=f"{name}-h")


def figure(picture: Safe, caption: str = "") -> Safe:
    """Return a picture with its caption."""
    return tag("figure", picture, tag("figcaption", caption) if caption else Safe())


def fold(summary: str, *children: str, is_open: bool = False, class_: str = "") -> Safe:
    """Return something that opens on demand."""
    inner = tag("div", *children, class_="inner")
    return tag("details", tag("summary", summary), inner, open="" if is_open else None, class_=class_ or None)


def as_table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Safe:
    """Return the numbers of a picture as a table that opens on demand; nothing without rows."""
    return fold("The same as a table", table(caption, columns, rows), class_="plain") if rows else Safe()


def code(text: str | Safe) -> Safe:
    """Return source text."""
    return tag("pre", tag("code", text), tabindex=0)
