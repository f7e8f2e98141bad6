"""Writes the leaderboard: the best methods as a table that needs no script, and all of them as data that the script sorts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from evolve.queries.leaderboard import DomainScores, LeaderboardRow
from evolve.report.html.markup import Safe, data, join, tag
from evolve.report.html.parts import anchor, link, section, strip
from evolve.text import NONE, count, estimate, money, number, one_line

FIRST = 50  # rows that stand without a script
MOST = 20_000  # rows in all
_RANK, _METHOD, _STRIP, _GUESS = "rank", "method", "strip", "guess"
_SHOWN = re.compile(r"-?\d*\.\d\d")


@dataclass(frozen=True)
class ColumnHead:
    """A column of the leaderboard.

    Attributes:
        kind: rank, method, strip (the picture of dev and fresh), guess (mean with interval), n (a number), or text.
        help: what it means.
    """

    name: str
    kind: str
    help: str


def heads(scores: DomainScores) -> tuple[ColumnHead, ...]:
    """Return the columns of the leaderboard."""
    return (
        ColumnHead("#", _RANK, "rank by fitness"),
        ColumnHead("Method", _METHOD, "its name, or the first characters of its id"),
        ColumnHead("0 to 1", _STRIP, "PGR with interval: a filled dot is fresh, a hollow one dev"),
        ColumnHead("Fitness", "n", "lower confidence bound on PGR over dev instances; what selection compares"),
        ColumnHead("Dev PGR", _GUESS, "mean over dev instances with 90 % interval"),
        ColumnHead("Fresh PGR", _GUESS, "mean over fresh instances of the search domain with 90 % interval"),
        *(ColumnHead(column, "n", f"mean PGR, {column}") for column in scores.columns),
        ColumnHead("Made by", "text", "the operator, with its model where one was asked; else seed or added"),
        ColumnHead("Direction", "text", "the research direction of its prompt"),
        ColumnHead("Island / cell", "n", "where it is an elite"),
        ColumnHead("Flags", "text", "probes that failed it"),
        ColumnHead("Cost", "n", "dollars of the calls behind it"),
    )


def cells(place: int, row: LeaderboardRow, scores: DomainScores) -> tuple[str, ...]:
    """Return what a row shows, as text; the strip is drawn from the two guesses."""
    here = scores.scores.get(row.method, {})
    return (
        str(place), row.label, row.origin, number(row.fitness), estimate(row.pgr, row.pgr_low, row.pgr_high, row.instances),
        estimate(row.fresh_pgr, row.fresh_low, row.fresh_high, row.fresh_instances),
        *(number(here.get(column)) for column in scores.columns),
        one_line(row.made_by, 60), one_line(row.direction, 80) or NONE,
        NONE if row.island is None else f"{row.island} / {row.cell}", one_line(row.flags, 120) or NONE,
        NONE if row.usd is None else money(row.usd),
    )  # fmt: skip


def board_section(rows: Sequence[LeaderboardRow], scores: DomainScores, champion: str) -> Safe:
    """Return the leaderboard."""
    if not rows:
        return section("leaderboard", "Leaderboard", "", tag("p", "Nothing has been judged OK yet."))
    columns = heads(scores)
    cut = f"The best {MOST:,} of {len(rows):,} methods. " if len(rows) > MOST else ""
    note = (
        f"{cut}By fitness, the lower confidence bound on PGR over dev instances. Dev scores flatter, because selection looked "
        "at them; fresh ones do not. Teal is bred, amber human."
    )
    shown = [
        tag("tr", _markup(columns, cells(place, row, scores), row.method), id=anchor(row.method),
            class_="top" if row.method == champion else None)
        for place, row in enumerate(rows[:FIRST], 1)
    ]  # fmt: skip
    head = tag("tr", *(tag("th", h.name, scope="col", class_=_class(h), title=h.help, data_kind=h.kind) for h in columns))
    inside = tag("table", tag("caption", "Methods by fitness"), tag("thead", head), tag("tbody", *shown), id="board")
    frame = tag("div", inside, class_="scroll", tabindex=0, role="group", aria_label="Methods by fitness")
    left = f"The best {min(FIRST, len(rows))} of {count(len(rows), 'method')} that were judged OK."
    tools = tag("div", class_="tools", id="board-tools")  # the script puts the search field here
    status = tag("p", left, class_="note", id="board-status", role="status")
    return section("leaderboard", "Leaderboard", note, tools, status, frame, _data(rows[:MOST], scores, champion))


def _class(head: ColumnHead) -> str | None:
    return {_RANK: "n", "n": "n", _STRIP: "strip", "text": "text"}.get(head.kind)


def _markup(columns: Sequence[ColumnHead], shown: Sequence[str], method: str) -> Safe:
    """Return the cells of a row; table.js makes the same of the same texts."""
    place, label, origin, *texts = shown
    parts = [tag("td", place, class_="n"), tag("th", link(method, label), scope="row")]
    parts.append(tag("td", _strip(texts[1], texts[2], origin), class_="strip"))
    for head, text in zip(columns[3:], texts):
        mean, _, ends = text.partition(" ")
        inside = join(mean, tag("span", f" {ends}", class_="interval")) if head.kind == _GUESS and ends else join(text)
        style = [name for name in (_class(head), "none" if text == NONE else None) if name]
        parts.append(tag("td", inside, class_=" ".join(style) or None))
    return join(*parts)


def _strip(dev: str, fresh: str, origin: str) -> Safe:
    """Draw the fresh estimate, or else the dev one."""
    known = fresh != NONE
    middle, low, high = [*(round(float(end) * 100) for end in _SHOWN.findall(fresh if known else dev)), None, None, None][:3]
    return strip(middle, low, high, ("human" if origin == "seed" else "champion") + ("" if known else " dev"))


def _data(rows: Sequence[LeaderboardRow], scores: DomainScores, champion: str) -> Safe:
    """Return every row as data; texts that recur are numbers that count into `words`."""
    words: dict[str, int] = {}
    lines = []
    for place, row in enumerate(rows, 1):
        _, label, *texts = cells(place, row, scores)
        lines.append([anchor(row.method), label, *(words.setdefault(text, len(words)) for text in texts)])
    return data("board-data", {"words": list(words), "rows": lines, "champion": anchor(champion) if champion else ""})
