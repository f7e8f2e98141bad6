"""Answers about scores as the Ladder does, one Ladder per search domain: what a prompt shows where disclosure is "ladder"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean

from archives.archive import Archive
from archives.sqlite.typed import value
from fitness.ladder import Ladder, shown
from fitness.nouns import Split, Trial


@dataclass(frozen=True)
class CoarseScore:
    """What a model may know of a method's score on one search domain: the Ladder's answer.

    Attributes:
        instances: dev instances that it was asked about.
        rung: the best rung when the method had been scored, in accuracy.
        pgr: the same as PGR, in steps of .05.
        raised: whether this method set it; otherwise it is not known to be better than that, and may be far worse.
    """

    domain: str
    instances: int
    rung: float
    pgr: float
    raised: bool


def told(scores: Sequence[CoarseScore]) -> str:
    """Return what Ladders said of a method, in one line: of each domain a new best, or nothing but that it was none."""
    # domains are numbered, and only when there are several: a name could tell what is hard about one
    places = [f" in domain {n}" for n in range(1, len(scores) + 1)] if len(scores) > 1 else [""]
    return "; ".join(map(_said, scores, places))


def _said(score: CoarseScore, where: str) -> str:
    if score.raised:
        return f"PGR about {score.pgr:.2f}{where}, the best of its time"
    return f"not shown to be better{where} than the best before it, which had PGR about {score.pgr:.2f}; it may be far worse"


class Ladders:
    """What the Ladder of each search domain said of each method."""

    def __init__(self, archive: Archive, domains: Sequence[str], shares: bool) -> None:
        """Begin with nothing; `shares` tells whether values are asked about, or gaps recovered."""
        self._archive, self._shares = archive, shares
        self._ladders = {domain: Ladder() for domain in domains}
        self._scores: dict[str, dict[str, CoarseScore]] = {domain: {} for domain in domains}  # of each method

    def recall(self, domain: str, answers: Sequence[tuple[str, int, float]]) -> None:
        """Go on after the answers that were given: method, instances and rung of each, in order."""
        row = self._archive.anchors(Split.DEV, domain)
        best = 0.0

        @cache
        def coarse(instances: int, answer: float, raised: bool) -> CoarseScore:
            anchors = (value(row, "floor", float), value(row, "ceiling", float)) if self._shares else (0.0, 1.0)
            return CoarseScore(domain, instances, answer, shown(answer, *anchors), raised)

        for method, instances, answer in answers:
            self._scores[domain][method] = coarse(instances, answer, answer > best)
            best = answer
        self._ladders[domain] = Ladder(best=best, queries=len(answers))

    def ask(self, method: str, domain: str, trials: Sequence[Trial]) -> float:
        """Ask a domain's Ladder about a method; return the rung."""
        scores = [trial.score for trial in trials if trial.score]
        asked = fmean(s.value for s in scores) if self._shares else min(max(fmean(s.pgr for s in scores), 0.0), 1.0)
        rung = self._ladders[domain].ask(asked)
        anchors = (fmean(s.floor for s in scores), fmean(s.ceiling for s in scores)) if self._shares else (0.0, 1.0)
        self._scores[domain][method] = CoarseScore(domain, len(scores), rung.value, shown(rung.value, *anchors), rung.raised)
        return rung.value

    def scores(self, method: str) -> tuple[CoarseScore, ...]:
        """Return all that was said of a method."""
        return tuple(known[method] for known in self._scores.values() if method in known)
