"""Returns the finalists that probes failed on instances that selection never saw, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass

from archives.archive import Archive
from archives.sqlite.typed import maybe_real, text
from fitness.nouns import Split
from fitness.probes import evidence

_FAILED = (
    "select m.id, m.name from methods m where exists (select 1 from probes p where p.method = m.id and p.split = 'fresh' "
    "and p.verdict in ('FAILED', 'CONTESTED')) order by "
    "(select max(fitness) from evaluations e where e.method = m.id and e.split = 'dev') desc, m.id"
)


@dataclass(frozen=True)
class Contested:
    """A finalist that probes failed on some fresh or held-out instance.

    Attributes:
        flagged: whether that cost it its place, and no review has given it back.
        pgr, pgr_low, pgr_high: on the fresh instances of the search domains; None where it failed.
        evidence: a sentence for each probe that failed.
    """

    method: str
    name: str
    flagged: bool
    pgr: float | None
    pgr_low: float | None
    pgr_high: float | None
    evidence: tuple[str, ...]


def contested(archive: Archive, domain: str) -> tuple[Contested, ...]:
    """Return the contested methods, the fittest first; `domain` is the search domain, or several as they are stored."""
    flagged = archive.flagged()
    return tuple(_one(archive, text(row, "id"), text(row, "name"), domain, flagged) for row in archive.rows(_FAILED))


def _one(archive: Archive, method: str, name: str, domain: str, flagged: set[str]) -> Contested:
    told = evidence.sentences(archive.findings(method, Split.FRESH))
    rows = [row for row in archive.evaluations(Split.FRESH, method) if row["domain"] == domain]
    pgr, low, high = (maybe_real(rows[-1], column) if rows else None for column in ("pgr", "pgr_low", "pgr_high"))
    return Contested(method, name, method in flagged, pgr, low, high, told)
