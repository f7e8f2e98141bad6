"""Returns what one method changed against another, as a unified diff."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff

from archives.archive import Archive
from archives.nouns import ArchiveError
from archives.sqlite.typed import maybe_real, text
from evolve.errors import UsageError
from evolve.queries.lineage import lineage_of
from evolve.queries.method import birth
from evolve.text import clean, label, one_line


@dataclass(frozen=True)
class SourceChange:
    """The step from `before` to `after`, as the lines of a unified diff (clean text, without line ends).

    Attributes:
        gain: PGR on dev of `after` minus `before`, or None where either is unknown.
        operator, direction, idea: how `after` was made, when `before` is one of its parents; else empty.
    """

    before: str
    before_label: str
    after: str
    after_label: str
    gain: float | None
    operator: str
    direction: str
    idea: str
    lines: tuple[str, ...]


def change(archive: Archive, before: str, after: str) -> SourceChange:
    """Return what `after` changed against `before`, two ids of methods in the archive."""
    named = {
        text(row, "id"): row for row in archive.rows("select id, name, source from methods where id in (?, ?)", [before, after])
    }
    if missing := {before, after} - named.keys():
        raise ArchiveError(f"{archive.path} holds no method {one_line(missing.pop())}")
    labels = {method: label(text(row, "name"), method) for method, row in named.items()}
    born = birth(archive, after)
    parent = next((parent for parent in born.parents if parent.method == before), None) if born else None
    ours, theirs = _pgr(archive, after), _pgr(archive, before)
    lines = unified_diff(
        clean(text(named[before], "source")).splitlines(),
        clean(text(named[after], "source")).splitlines(),
        f"{labels[before]}.py",
        f"{labels[after]}.py",
        lineterm="",
    )
    return SourceChange(
        before=before,
        before_label=labels[before],
        after=after,
        after_label=labels[after],
        gain=None if ours is None or theirs is None else ours - theirs,
        operator=born.operator if born and parent else "",
        direction=born.direction if born and parent else "",
        idea=born.idea if born and parent else "",
        lines=tuple(lines),
    )


def first_parent(archive: Archive, method: str, called: str) -> str:
    """Return the first parent of a method that people call `called`. Raises UsageError when it has none."""
    parents = lineage_of(archive, method, 1).ancestors[0].parents
    if not parents:
        raise UsageError(f"{called} has no parent in this run: name the method to compare it with")
    return parents[0]


def _pgr(archive: Archive, method: str) -> float | None:
    rows = archive.rows("select pgr from evaluations where method = ? and split = 'dev' order by id desc limit 1", [method])
    return maybe_real(rows[0], "pgr") if rows else None
