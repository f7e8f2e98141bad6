"""Returns the final table: the champion against the human best on every domain, and the verdict."""

from __future__ import annotations

import re
from dataclasses import dataclass

from archives.archive import Archive
from archives.nouns import RunRecord
from archives.sqlite.typed import lenient, text
from evolve.queries.ends import ends, instances
from fitness import pgr
from fitness.nouns import Score, Split, finite

_MOST = 20


_ID = re.compile(r"\b(?=[a-f]*[0-9])[0-9a-f]{8,64}\b")


@dataclass(frozen=True)
class Judged:
    """A method on one domain's fresh instances; `pgr` and its interval are None unless the status is OK.

    Attributes:
        instances: of each domain; below pgr.FEWEST there is no interval.
    """

    status: str
    pgr: float | None
    pgr_low: float | None
    pgr_high: float | None
    trials: int
    instances: int = 0


@dataclass(frozen=True)
class Comparison:
    """The champion and the human best on one domain.

    Attributes:
        held_out: whether the search never saw the domain.
        difference: mean paired difference of PGR on the same instances, with its one-sided 95 % lower bound; None where either
            failed or the instances differ; no bound of too few instances.
    """

    domain: str
    held_out: bool
    champion: Judged | None
    human: Judged | None
    difference: float | None
    lower_bound: float | None


@dataclass(frozen=True)
class FinalVerdict:
    """What the run showed; `shown` is None before the champion was judged on fresh instances.

    Attributes:
        difference: mean paired difference of PGR on the fresh instances of all search domains, champion minus human best, with
            its 90 % interval; `low` is the one-sided 95 % bound that decides. None where an archive does not hold both, and the
            ends where instances are too few.
    """

    sentence: str
    shown: bool | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def verdict(archive: Archive, run: RunRecord) -> FinalVerdict:
    """Return the verdict as the run recorded it: the sentence, and the sign of the paired test's lower bound.

    A run without a champion has none, whatever an earlier session or version said.
    """
    if not run.champion:
        return FinalVerdict(run.verdict, None)
    rows = archive.rows("select text, value from events where kind = 'verdict' order by id desc limit 1")
    bound = rows[0]["value"] if rows else None  # infinite where too few instances were judged
    said = run.verdict or (text(rows[0], "text") if rows else "")
    return FinalVerdict(said, bound > 0 if isinstance(bound, float) else None, *_difference(archive, run))


def _difference(archive: Archive, run: RunRecord) -> tuple[float | None, float | None, float | None]:
    """Return the paired difference between the champion and the human best, with its interval."""
    where = "split = 'fresh' and method = ? order by id limit 1"
    rows = archive.rows(f"select domain from evaluations where {where}", [run.champion]) if run.human_best else []
    domain = text(rows[0], "domain") if rows else ""
    ours, theirs = (archive.trials(method, Split.FRESH, domain) for method in (run.champion, run.human_best))
    scores = [{(t.domain, t.instance): t.score for t in side if t.score is not None} for side in (ours, theirs)]
    if not scores[0] or scores[0].keys() != scores[1].keys():
        return None, None, None
    shown = pgr.paired_interval(list(scores[0].values()), [scores[1][place] for place in scores[0]])
    return shown.mean, *shown.ends


def comparisons(archive: Archive, champion: str, human: str, search_domain: str) -> tuple[Comparison, ...]:
    """Return the final table: the search domain first, then the others in the order they were judged."""
    if not champion:
        return ()
    rows = archive.rows(
        "select domain from evaluations where split = 'fresh' and method in (?, ?) "
        "group by domain order by domain != ?, min(id)",
        [champion, human, search_domain],
    )
    return tuple(_comparison(archive, champion, human, text(row, "domain"), search_domain) for row in rows)


def _comparison(archive: Archive, champion: str, human: str, domain: str, search_domain: str) -> Comparison:
    ours, theirs = scores(archive, champion, domain), scores(archive, human, domain)
    difference = bound = None
    if ours and ours.keys() == theirs.keys():
        difference, low = pgr.paired(list(ours.values()), [theirs[instance] for instance in ours])
        bound = finite(low)
    return Comparison(
        domain, domain != search_domain, judged(archive, champion, domain), judged(archive, human, domain), difference, bound
    )


def scores(archive: Archive, method: str, domain: str, split: Split = Split.FRESH) -> dict[int, Score]:
    """Return a method's scores on a domain, by instance; those of failures are not there."""
    trials = archive.trials(method, split, domain)
    return {trial.instance: trial.score for trial in trials if trial.score is not None}


def judged(archive: Archive, method: str, domain: str, split: Split = Split.FRESH) -> Judged | None:
    """Return how a method did on a domain; None where it was not judged there."""
    rows = archive.rows(
        "select * from evaluations where method = ? and split = ? and domain = ? order by id desc limit 1",
        [method, split, domain],
    )
    return lenient(Judged, rows[0], **ends(rows[0]), instances=instances(rows[0])) if rows else None
