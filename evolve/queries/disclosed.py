"""Returns how much the scores that models were shown can tell of the dev labels."""

from __future__ import annotations

from dataclasses import dataclass

from archives.archive import Archive
from archives.sqlite.typed import integer, text, value
from evolve.prompting.ablations import BITS
from evolve.prompting.cards import bits
from evolve.prompting.disclosure import ENGINE, PARTS, TRIED
from evolve.text import count
from fitness.ladder import recoverable, transcript_bits

_SHOWN = """
select domain, count(distinct case when why like ?1 then null when why like ?2 then method || why else method end) as cards,
    count(distinct case when why like ?1 then method || why end) as rows
from looks where who != ?3 and split = 'dev' group by domain
"""


@dataclass(frozen=True)
class Disclosed:
    """What models were shown of scores so far.

    Attributes:
        kind: card, ladder or full.
        scores: cards, and rows of ablations, that were shown, over all search domains.
        bits: the most that what was shown can carry; None without a bound.
        labels: dev labels that a method is scored on; `share`: the most of them that anybody could name from it, on average.
    """

    kind: str
    scores: int
    bits: float | None
    labels: int
    share: float | None

    @property
    def sentence(self) -> str:
        """The bound in words."""
        if self.bits is None or self.share is None:
            return f"exact scores, of {count(self.scores, 'method')}: what they tell of dev labels has no bound"
        return (
            f"at most {self.bits:,.0f} bits, from {count(self.scores, 'score')} ({self.kind}): at most "
            f"{100 * self.share:.0f} % of the {self.labels:,} dev labels could be named from them (chance: 50 %)"
        )


def disclosed(archive: Archive, kind: str) -> Disclosed | None:
    """Return what models were shown in a run of this disclosure; None where none was shown a score.

    The bound is that of fitness/ladder.py over the number of different things that could have been shown. A card counts once,
    however often it is shown again; the Ladder counts every answer that it gave. A variant has a card for each proposal that
    tried it, beside that of a method with the same source. A row of ablations counts once for each proposal that made it: it
    is one of 82 differences or failures, and what is paired with it, the unchanged record, is never shown by itself. How rows
    are ordered follows from what they say, and which parts there are from the file.
    """
    found = archive.rows(_SHOWN, [f"{PARTS}%", f"{TRIED}%", ENGINE])
    shown = {text(row, "domain"): integer(row, "cards") + integer(row, "rows") for row in found}
    if not shown:
        return None
    labels, errors = _labels(archive, shown)
    total = sum(shown.values())
    carried = sum(integer(row, "cards") * bits(errors) + integer(row, "rows") * BITS for row in found)
    if kind == "full":
        return Disclosed(kind, total, None, labels, None)
    if kind == "ladder":
        carried = sum(transcript_bits(_answers(archive, domain)) for domain in shown)
    return Disclosed(kind, total, carried, labels, recoverable(carried, labels) if labels else None)


def _answers(archive: Archive, domain: str) -> int:
    rows = archive.rows(
        "select count(*) as n from looks where who = ? and domain = ? and split = 'dev' and answer is not null",
        [ENGINE, domain],
    )
    return integer(rows[0], "n")


def _labels(archive: Archive, domains: dict[str, int]) -> tuple[int, int]:
    """Return the labels behind the dev scores of one whole evaluation, and how many kinds of errors a trial tells."""
    rows = archive.rows(
        "select domain, n, errors from trials where status = 'OK' and evaluation = "
        "(select min(id) from evaluations where split = 'dev' and fitness is not null)"
    )
    kinds = [len(value(row, "errors", dict[str, float])) for row in rows]
    return sum(integer(row, "n") for row in rows if text(row, "domain") in domains), max(kinds, default=0)
