"""Searches a run's texts: the methods' code, the ideas behind them, and directions."""

from __future__ import annotations

from dataclasses import dataclass

from archives.archive import Archive
from archives.nouns import Row
from archives.sqlite.typed import integer, maybe_integer, maybe_real, text
from evolve.errors import UsageError
from evolve.text import label, one_line

_WORDS = 32  # of a query
_BEFORE = 24  # characters of a line that are shown before what was found
_SHOWN = 200  # characters of a line that are kept

# What is searched: (row, method, proposal, text) of each kind. A scan needs no index that every writer must keep in step,
# and takes a query as text, never as syntax.
_TEXTS = {
    "code": "select rowid as row, id as method, null as proposal, name || char(10) || source as text from methods",
    "idea": "select id as row, method, id as proposal, idea as text from proposals where idea != ''",
    "direction": "select rowid as row, null as method, proposal, name || ': ' || text as text from directions",
}
_FOUND = """
with hits as ({hits})
select h.*, (select name from methods m where m.id = h.method) as name, (
    select fitness from evaluations e where e.method = h.method and e.split = 'dev' order by id desc limit 1
) as fitness, count(*) over () as total
from hits h order by whole desc, fitness is null, fitness desc, kind, row desc limit ?2
"""
_TEXT = "select text from ({texts}) where row = ?"


@dataclass(frozen=True)
class Hit:
    """A text that holds what was looked for.

    Attributes:
        kind: code, idea, or direction.
        method: whose code or idea, "" when it belongs to none; `label`: what people call it.
        proposal: whose idea, or which proposal made the direction.
        fitness: of the method, None when it has none.
        line: the line of the code, from 1; 0 elsewhere, and for a hit in the method's name.
        text: the line that holds it.
    """

    kind: str
    method: str
    label: str
    proposal: int | None
    fitness: float | None
    line: int
    text: str


@dataclass(frozen=True)
class Found:
    """The first hits of a query, and how many there are in all."""

    query: str
    total: int
    hits: tuple[Hit, ...]


def find(archive: Archive, query: str, limit: int) -> Found:
    """Return the texts that hold every word of a query, those that hold the whole of it and the fittest methods first.

    Letters of ASCII are the same in either case. Raises UsageError for a query without a word, or with very many.
    """
    query = " ".join(query.encode("utf-8", "replace").decode("utf-8").split())
    words = query.split()
    if not words:
        raise UsageError("say what to look for: `python -m evolve find entropy`")
    if len(words) > _WORDS:
        raise UsageError(f"{len(words)} words are too many to look for at once: give at most {_WORDS}")
    rows = archive.rows(_FOUND.format(hits=_hits(len(words))), [query, limit, *words])
    hits = tuple(_hit(archive, row, query, words) for row in rows)
    return Found(query, integer(rows[0], "total") if rows else 0, hits)


def _hits(words: int) -> str:
    """Return SQL for the texts that hold words ?3, ?4 and so on; `whole` is 1 for those that hold the query, ?1."""
    where = " and ".join(f"instr(lower(text), lower(?{place + 3})) > 0" for place in range(words))
    whole = "1" if words == 1 else "instr(lower(text), lower(?1)) > 0"
    parts = (
        f"select '{kind}' as kind, row, method, proposal, {whole} as whole from ({texts}) where {where}"
        for kind, texts in _TEXTS.items()
    )
    return " union all ".join(parts)


def _hit(archive: Archive, row: Row, query: str, words: list[str]) -> Hit:
    kind, method = text(row, "kind"), text(row, "method")
    held = archive.rows(_TEXT.format(texts=_TEXTS[kind]), [row["row"]])
    number, line = _line(text(held[0], "text") if held else "", query, words)
    return Hit(
        kind=kind,
        method=method,
        label=label(text(row, "name"), method) if method else "",
        proposal=maybe_integer(row, "proposal"),
        fitness=maybe_real(row, "fitness"),
        line=number if kind == "code" else 0,
        text=line,
    )


def _line(held: str, query: str, words: list[str]) -> tuple[int, str]:
    """Return the line, and its number after the first, that holds the query or else most of its words, cut around it."""
    lines = held.split("\n")
    wanted = [word.lower() for word in words]

    def worth(line: str) -> tuple[bool, int]:
        low = line.lower()
        return query.lower() in low, sum(word in low for word in wanted)

    best = max(range(len(lines)), key=lambda place: worth(lines[place]))
    line = " ".join(lines[best].split())
    starts = [line.lower().find(word) for word in (query.lower(), *wanted)]
    start = next((at for at in starts if at >= 0), 0)
    if start > _BEFORE:
        line = "…" + line[start - _BEFORE :]
    return best, one_line(line, _SHOWN)
