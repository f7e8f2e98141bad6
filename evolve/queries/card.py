"""Returns the feedback card of a method, as the prompts of its run show it."""

from __future__ import annotations

from archives.archive import Archive
from archives.nouns import MethodRecord
from evolve.errors import UsageError
from evolve.prompting.cards import Card, Cards
from evolve.queries.lineage import lineage_of
from evolve.queries.status import search_domain, settings


def card_of(archive: Archive, method: str) -> Card:
    """Return a method's card; on the grid unless the run shows full numbers. Raises UsageError where it was never judged."""
    [record] = archive.nouns(MethodRecord, "methods where id = ? limit 1", [method])
    parents = lineage_of(archive, method, 1).ancestors[0].parents
    run = archive.run()
    cards = Cards(archive, search_domain(archive, run).split("+"), exact=settings(run).get("disclosure") == "full")
    card = cards.card(record, parents[0] if parents else None)
    if card is None:
        raise UsageError(f"{record.name} has no card: it was not judged on dev instances yet")
    return card
