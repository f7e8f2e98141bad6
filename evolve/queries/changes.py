"""Returns what one method changed against another, as a unified diff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from archives.archive import Archive
from archives.nouns import ArchiveError
from archives.sqlite.typed import maybe_real, text
from evolve.errors import UsageError
from evolve.queries.lineage import lineage_of
from evolve.queries.method import birth
from evolve.text import clean, label, one_line

MOST_STEPS = 10_000_000  # of a comparison of two files, line by line: about a second; what would take more is one change
_CONTEXT = 3  # unchanged lines around a change


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
    lines = _unified(
        clean(text(named[before], "source")).splitlines(),
        clean(text(named[after], "source")).splitlines(),
        f"{labels[before]}.py",
        f"{labels[after]}.py",
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


Opcode = tuple[Literal["replace", "delete", "insert", "equal"], int, int, int, int]


class _Comparison(SequenceMatcher[str]):
    """Two files compared as difflib does, in bounded time."""

    def __init__(self, before: Sequence[str], after: Sequence[str]) -> None:
        super().__init__(None, before, after)
        self._files = before, after

    def get_opcodes(self) -> list[Opcode]:
        """Return how the one becomes the other."""
        return _opcodes(*self._files)


def _unified(before: Sequence[str], after: Sequence[str], before_name: str, after_name: str) -> Iterator[str]:
    """Yield a unified diff, as difflib.unified_diff writes it."""
    groups = list(_Comparison(before, after).get_grouped_opcodes(_CONTEXT))
    if groups:
        yield from (f"--- {before_name}", f"+++ {after_name}")
    for group in groups:
        (_, start, _, new_start, _), (_, _, end, _, new_end) = group[0], group[-1]
        yield f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@"
        for kind, i, j, x, y in group:
            if kind == "equal":
                yield from (f" {line}" for line in before[i:j])
            else:
                yield from (f"-{line}" for line in before[i:j])
                yield from (f"+{line}" for line in after[x:y])


def _opcodes(before: Sequence[str], after: Sequence[str]) -> list[Opcode]:
    """Return how the one becomes the other; where that would take too long, all that lies between equal ends is one change."""
    counts = Counter(after)
    most = len(after) // 100 + 1 if len(after) >= 200 else len(after)  # difflib compares no line that occurs more often
    pairs = sum(counts[line] for line in before if counts[line] <= most)
    shorter = min(len(before), len(after))
    if (pairs + len(before)) * shorter <= MOST_STEPS:
        return SequenceMatcher(None, before, after).get_opcodes()
    head = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    tail = next((n for n in range(shorter - head) if before[-1 - n] != after[-1 - n]), shorter - head)
    if not head and not tail:
        return [("replace", 0, len(before), 0, len(after))]
    end, new_end = len(before) - tail, len(after) - tail
    middle = _opcodes(before[head:end], after[head:new_end])
    found: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    found += [(kind, i + head, j + head, x + head, y + head) for kind, i, j, x, y in middle]
    return [*found, ("equal", end, len(before), new_end, len(after))] if tail else found


def _range(start: int, end: int) -> str:
    """Return a range of lines as a unified diff names it."""
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + bool(length)},{length}"


def first_parent(archive: Archive, method: str, called: str) -> str:
    """Return the first parent of a method that people call `called`. Raises UsageError when it has none."""
    parents = lineage_of(archive, method, 1).ancestors[0].parents
    if not parents:
        raise UsageError(f"{called} has no parent in this run: name the method to compare it with")
    return parents[0]


def _pgr(archive: Archive, method: str) -> float | None:
    rows = archive.rows("select pgr from evaluations where method = ? and split = 'dev' order by id desc limit 1", [method])
    return maybe_real(rows[0], "pgr") if rows else None
