"""Returns the scale check: the champion against the human best on each size of model, and whether the gain holds."""

from __future__ import annotations

from dataclasses import dataclass

from archives.archive import Archive
from archives.sqlite.typed import text
from evolve.queries.final_table import Judged, judged, scores
from evolve.text import count
from fitness import pgr
from fitness.nouns import Split


@dataclass(frozen=True)
class SizeLine:
    """The champion and the human best on one size.

    Attributes:
        size: the domain, named after the size.
        instances: that both were judged on.
        difference: mean paired difference of PGR on the same instances, champion minus human best, with its 90 % interval; None
            where either failed, and the ends where instances are too few.
    """

    size: str
    instances: int
    champion: Judged
    human: Judged
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ScaleTable:
    """The scale check of a run.

    Attributes:
        lines: the smallest size first.
        holds: whether the champion is shown to gain over the human best at the largest size; None where either failed there.
        sentence: says so.
    """

    lines: tuple[SizeLine, ...]
    holds: bool | None
    sentence: str


def scale_table(archive: Archive) -> ScaleTable | None:
    """Return the scale check of a run's champion; None where there was none."""
    run = archive.run()
    rows = archive.rows(
        "select domain from evaluations where split = ? and method = ? group by domain order by min(id)",
        [Split.SCALE, run.champion],
    )
    lines = [_line(archive, run.champion, run.human_best, text(row, "domain")) for row in rows]
    found = tuple(line for line in lines if line is not None)
    return ScaleTable(found, _holds(found[-1]), _sentence(found)) if found else None


def _line(archive: Archive, champion: str, human: str, size: str) -> SizeLine | None:
    """Return a line; None where one of the two was not judged: another method has become the champion since."""
    sides = [judged(archive, method, size, Split.SCALE) for method in (champion, human)]
    ours, theirs = (scores(archive, method, size, Split.SCALE) for method in (champion, human))
    if sides[0] is None or sides[1] is None:
        return None
    if not all(side.status == "OK" for side in sides if side) or ours.keys() != theirs.keys():
        return SizeLine(size, sides[0].instances, sides[0], sides[1], None, None, None)
    shown = pgr.paired_interval(list(ours.values()), [theirs[instance] for instance in ours])
    return SizeLine(size, len(ours), sides[0], sides[1], shown.mean, *shown.ends)


def _holds(largest: SizeLine) -> bool | None:
    return None if largest.difference is None else largest.low is not None and largest.low > 0


def _sentence(lines: tuple[SizeLine, ...]) -> str:
    """Return whether the gain holds at the largest size that is there."""
    last = lines[-1]
    which = f"the largest of {len(lines)} sizes" if len(lines) > 1 else "the only size that is here"
    where = f"at {last.size}, {which}"
    if last.difference is None:
        failed = [f"the {who} {side.status}" for who, side in (("champion", last.champion), ("human best", last.human))]
        return f"the gain over the human best cannot be told {where}: {' and '.join(failed)}"
    facts = f"PGR {last.difference:+.2f} on the same {count(last.instances, 'instance')}"
    if last.low is None or last.high is None:
        return f"the gain over the human best is not shown {where}: {facts}, too few for an interval"
    facts += f", 90 % interval [{last.low:+.2f}, {last.high:+.2f}]"
    if last.low > 0:
        return f"the gain over the human best holds {where}: {facts}"
    return f"the gain over the human best is not shown {where}: {facts}, which {'holds' if last.high >= 0 else 'lies below'} 0"
