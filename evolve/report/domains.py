"""PGR by domain: what the leaderboard's columns for single domains show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archives.archive import Archive
from evolve.report.clean import one_line
from evolve.report.rows import maybe_real, text

_FRESH = """
select e.method, e.domain, e.pgr from evaluations e join (
    select max(id) as id from evaluations where split = 'fresh' group by method, domain
) newest on newest.id = e.id where e.pgr is not null and e.domain != ? order by e.id
"""
_DEV = """
select e.method, t.domain, avg(t.pgr) as pgr from evaluations e join trials t on t.evaluation = e.id
where e.split = 'dev' and e.status = 'OK' group by e.method, t.domain order by t.domain
"""


@dataclass(frozen=True)
class DomainScores:
    """Mean PGR of methods on single domains.

    Attributes:
        columns: what each number is, such as "math, fresh" or "chat, dev".
        scores: by method, then by column.
    """

    columns: tuple[str, ...]
    scores: Mapping[str, Mapping[str, float]]


def domain_scores(archive: Archive, domain: str) -> DomainScores:
    """Return dev PGR by domain where `domain`, the search domain, is several, and fresh PGR on the other domains."""
    columns: dict[str, None] = {}
    scores: dict[str, dict[str, float]] = {}
    several = archive.rows("select 1 from evaluations where split = 'dev' and instr(domain, '+') limit 1")
    for split, rows in (("dev", archive.rows(_DEV) if several else []), ("fresh", archive.rows(_FRESH, [domain]))):
        for row in rows:
            pgr = maybe_real(row, "pgr")
            if pgr is not None:
                column = f"{one_line(text(row, 'domain'), 24)}, {split}"
                columns[column] = None
                scores.setdefault(text(row, "method"), {})[column] = pgr
    return DomainScores(tuple(columns)[:12], scores)
