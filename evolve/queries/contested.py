"""Returns the finalists that probes failed on instances that selection never saw, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass

from archives.archive import Archive
from archives.sqlite.typed import maybe_real
from evolve.queries.ends import ends, instances
from fitness.nouns import Split
from fitness.probes import evidence


@dataclass(frozen=True)
class Contested:
    """A finalist that probes failed on some fresh or held-out instance.

    Attributes:
        flagged: whether that cost it its place, and no review has given it back.
        pgr, pgr_low, pgr_high: on the fresh instances of the search domains; None where it failed.
        evidence: a sentence for each probe that failed.
        instances: fresh ones of each search domain.
    """

    method: str
    name: str
    flagged: bool
    pgr: float | None
    pgr_low: float | None
    pgr_high: float | None
    evidence: tuple[str, ...]
    instances: int = 0


def contested(archive: Archive, domain: str) -> tuple[Contested, ...]:
    """Return the contested methods, the fittest first; `domain` is the search domain, or several as they are stored."""
    flagged, known = archive.flagged(), {method.id: method.name for method in archive.methods()}
    return tuple(_one(archive, method, known[method], domain, method in flagged) for method in archive.contested())


def _one(archive: Archive, method: str, name: str, domain: str, flagged: bool) -> Contested:
    told = evidence.sentences(archive.findings(method, Split.FRESH))
    rows = [row for row in archive.evaluations(Split.FRESH, method) if row["domain"] == domain]
    if not rows:
        return Contested(method, name, flagged, None, None, None, told)
    n = instances(rows[-1])
    return Contested(method, name, flagged, maybe_real(rows[-1], "pgr"), **ends(rows[-1]), evidence=told, instances=n)
