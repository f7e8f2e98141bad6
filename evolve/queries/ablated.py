"""Returns what the parts of a method are worth, where a run took it apart while it was the record."""

from __future__ import annotations

from archives.archive import Archive
from evolve.prompting.ablations import Ablations, ablations
from evolve.prompting.cards import EXACT
from evolve.queries.status import search_domain

_LAST = "proposal = (select max(id) from proposals where operator = 'ablate' and state = 'done' and parents = json_array(?))"


def ablations_of(archive: Archive, method: str) -> Ablations | None:
    """Return the newest ablations of a method, unrounded; None when it was not taken apart."""
    tried = archive.experiments(_LAST, [method])
    return ablations(method, tried, search_domain(archive, archive.run()).split("+"), EXACT) if tried else None
