"""Writes the request of each call; the words themselves are in templates/*.md, the system text is system.py's.

Within a request what changes least comes first. The only scores that enter are those of exhibits and rows (disclosure.py).
Whatever a method, a model or a sandbox wrote stands between backticks, and every part has a largest size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

from evolve.nouns import Brief, Broken, Exhibit
from evolve.prompting.rows import other, row, whole_sentences
from evolve.prompting.words import template
from evolve.text import LINE, fence, printable_line, visible
from fitness.nouns import Direction

LENGTH = 5_100  # characters that a request aims at: three fifths of what it took when it had no table and told less
FEWEST = 4  # rows of the table that a request has however long it is
ASK = 4096  # characters that an operator's own words have at most
USUAL = 650  # characters of them, as a rule
HEADING = 40  # characters that a section has beside its lines, or about
FILE = 32 * 1024  # characters of a file: as long as a method may be
DELETED = 8  # deleted lines in a request
OPENING = 12  # lines of a method in a request that asks for no method


@dataclass
class Room:
    """Counts the characters that are left."""

    left: int

    def takes(self, length: int) -> bool:
        """Tell whether there is room for so many more, and take it."""
        fits = length <= self.left
        self.left -= length if fits else 0
        return fits


def fitted(brief: Brief) -> Brief:
    """Return what a request has room for.

    All parents stand in it, the record's card and a few rows, however long that makes it; then, while there is room: lines that
    hurt, a line for each other method, the record's file, more rows, other methods' files.
    """
    record = brief.record and replace(brief.record, whole=False)
    small = replace(brief, record=record, tried=brief.tried[:FEWEST], inspirations=(), deleted=())
    room = Room(LENGTH - USUAL - len(prompt(small, "")))
    deleted = brief.deleted if room.takes(len(_deleted(brief.deleted))) else ()
    others = [one for one in brief.inspirations if room.takes(len(other(one)) + HEADING)]
    if brief.record and brief.record.whole and room.takes(_cost(brief.record)):
        record = brief.record
    rows = [*small.tried, *itertools.takewhile(lambda tried: room.takes(len(row(tried)) + 1), brief.tried[FEWEST:])]
    others = [replace(one, whole=one.whole and room.takes(_cost(one))) for one in others]
    return replace(small, record=record, deleted=deleted, inspirations=tuple(others), tried=tuple(rows))


def prompt(brief: Brief, ask: str) -> str:
    """Return the request: direction, parents, the record, what was tried, other methods, the child to be repaired, the ask."""
    record = brief.record.method.id if brief.record else ""
    return template("brief").substitute(
        direction=_quoted(brief.direction),
        parents="\n\n".join(
            _exhibit("Parent", number, one, ", the best method so far" if one.method.id == record else "")
            for number, one in enumerate(brief.parents, start=1)
        ),
        record=_record(brief),
        tried=_section("attempts", rows=fence("\n".join(map(row, brief.tried)), "text")) if brief.tried else "",
        deleted=_deleted(brief.deleted),
        ablations=f"{brief.ablations}\n\n" if brief.ablations else "",
        others=_others(brief.inspirations),
        broken=_broken(brief.broken) if brief.broken else "",
        ask=ask,
    )


def request(brief: Brief, name: str) -> str:
    """Return the request with the ask of `templates/NAME.md`, for the operators that fill nothing else in."""
    return prompt(brief, template(name).substitute())


def longest(brief: Brief) -> str:
    """Return a text at least as long as any first request about a brief, to reserve what it may cost."""
    return prompt(brief, " " * ASK)


def variation(brief: Brief) -> str:
    """Return the request for another direction: the one there is, and the opening lines of what it led to."""
    opened = [replace(e, method=replace(e.method, source=_opening(e.method.source))) for e in brief.parents]
    return template("varied").substitute(
        direction=_quoted(brief.direction),
        parents="\n\n".join(_exhibit("Method", *pair) for pair in enumerate(opened, start=1)),
        ask=template("vary").substitute(),
    )


def _section(name: str, **texts: str) -> str:
    return template(name).substitute(**texts) + "\n\n"


def _quoted(direction: Direction) -> str:
    return "\n".join(f"> {line}".rstrip() for line in visible(direction.text.strip()[:1_000]).splitlines())


def _exhibit(title: str, number: int, exhibit: Exhibit, distinction: str = "") -> str:
    return f"## {title} {number}: {_named(exhibit)}{distinction}\n\n{_told(exhibit)}\n\n{_file(exhibit.method.source)}"


def _named(exhibit: Exhibit) -> str:
    return printable_line(exhibit.name, 60).replace("`", "'")


def _told(exhibit: Exhibit) -> str:
    """Return what may be seen of a method's scores, beside what had been predicted of them."""
    card = exhibit.card or f"- {exhibit.line or 'not scored'}"
    predicted = whole_sentences(exhibit.prediction, LINE).replace("`", "'")
    return f"- before it was judged, this was predicted: `{predicted}`\n{card}" if predicted else card


def _record(brief: Brief) -> str:
    """Show the record, unless it is a parent."""
    record = brief.record
    if record is None or record.method.id in _ids(brief.parents):
        return ""
    file = f"\n\n{_file(record.method.source)}" if record.whole else ""
    return _section("record", exhibit=f"{_named(record)}\n\n{_told(record)}{file}")


def _others(exhibits: tuple[Exhibit, ...]) -> str:
    """Show other methods: in full those that are whole, the rest in a line each."""
    lines = [other(one) for one in exhibits if not one.whole]
    blocks = [_exhibit("Method", *pair) for pair in enumerate((one for one in exhibits if one.whole), start=1)]
    shown = [*blocks, *([fence("\n".join(lines), "text")] if lines else [])]
    return _section("others", methods="\n\n".join(shown)) if shown else ""


def _file(source: str) -> str:
    """Fence a file, and say so when it is too long to be shown whole."""
    cut = f"\n\nThe file goes on for {len(source) - FILE:,} more characters." if len(source) > FILE else ""
    return fence(source[:FILE], "python") + cut


def _opening(source: str) -> str:
    return "\n".join(source.split("\n")[:OPENING])[:1_000]


def _deleted(lines: tuple[str, ...]) -> str:
    shown = [*filter(None, (printable_line(line, 160) for line in lines[:DELETED]))]
    return _section("deleted", lines=fence("\n".join(shown), "python")) if shown else ""


def _broken(broken: Broken) -> str:
    reason = fence(printable_line(broken.reason, 2 * LINE) or "no reason known", "text")
    return _section("broken", source=_file(broken.source), reason=reason)


def _cost(exhibit: Exhibit) -> int:
    return len(_file(exhibit.method.source)) + len(exhibit.card)


def _ids(exhibits: Iterable[Exhibit]) -> frozenset[str]:
    return frozenset(one.method.id for one in exhibits)
