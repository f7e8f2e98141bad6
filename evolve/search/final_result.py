"""What the final evaluation found: the table of finalists and human baselines, and the verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evolve.text import count
from fitness import pgr
from fitness.nouns import Interval


@dataclass(frozen=True)
class Contender:
    """A method in the final table: what it is called, its id, and its place: best, 2nd, 3rd, or human best."""

    place: str
    name: str
    id: str


@dataclass(frozen=True)
class ContestedFinalist:
    """A finalist that probes failed on fresh or held-out instances.

    Attributes:
        flagged: whether they failed it on most of those that were looked at, which cost it its place.
        pgr: its interval over the fresh instances of all search domains, None where it failed.
        evidence: a sentence a probe.
    """

    name: str
    id: str
    flagged: bool
    pgr: Interval | None
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class DomainLine:
    """One domain of the final table.

    Attributes:
        intervals: of each contender on the same instances; None where it failed.
        few: whether there are fewer instances than on a search domain, so that the spread over them is not believed alone.
    """

    domain: str
    instances: int
    intervals: tuple[Interval | None, ...]
    few: bool


@dataclass(frozen=True)
class Result:
    """What a run found.

    Attributes:
        contenders: the champion first, the human best last.
        lines: the final table, search domains first.
        tried: methods that selection chose the champion from.
        dev, fresh: the champion's mean PGR on the search domains; selection inflates dev.
        difference, low: mean paired difference of PGR on fresh instances, and its one-sided 95 % lower bound, -inf when few.
        verdict: the sentence that says whether the champion beats the human best.
        contested: finalists that a probe failed somewhere, fittest first; those that kept their place are contenders too.
    """

    contenders: tuple[Contender, ...]
    lines: tuple[DomainLine, ...]
    tried: int
    dev: float
    fresh: float
    difference: float
    low: float
    verdict: str
    contested: tuple[ContestedFinalist, ...] = ()

    @property
    def champion(self) -> Contender:
        """The method that the verdict is about."""
        return self.contenders[0]

    @property
    def inflation(self) -> float:
        """By how much selection on dev instances flattered the champion."""
        return self.dev - self.fresh

    @property
    def shown(self) -> bool:
        """Whether the champion is shown to beat the human best."""
        return self.low > 0


def sentence(champion: str, human: str, difference: tuple[float, float, float], instances: int) -> str:
    """Return the verdict: whether a champion beats the human best, by how much, and what that much is.

    One comparison is made, of the method that dev instances alone chose, so the bound needs no correction for the finalists.
    """
    mean, low, high = difference
    if not math.isfinite(low):
        few = f"PGR {mean:+.2f} on the same {count(instances, 'fresh instance')}, and {instances} are too few for an interval"
        return f"not shown: {champion} against the human best, {human}: {few}"
    facts = f"PGR {mean:+.2f} on the same {instances} fresh instances, 90 % interval [{low:+.2f}, {high:+.2f}]"
    if low > 0:
        narrowly = " narrowly" if mean < pgr.NARROW else ""
        means = f"it recovers {mean:.0%} more of the gap between floor and ceiling, and surely at least {low:.1%}"
        return f"shown: {champion} beats the human best, {human},{narrowly} by {facts}: {means}"
    return f"not shown: {champion} against the human best, {human}: {facts}, which {'holds' if high >= 0 else 'lies below'} 0"
