"""Decides which scores a model may see, and keeps the ledger of everyone who saw one.

The engine selects on full scores. A prompt shows a method's answer from the Ladder of each search domain and nothing finer; a
method that failed, or that the race stopped, asked nothing. Held-out domains have no Ladder.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from statistics import fmean
from typing import NamedTuple

from archives.archive import Archive
from archives.nouns import Look, MethodRecord
from archives.sqlite.typed import value
from evolve.nouns import CoarseScore, Exhibit
from fitness.ladder import Ladder, shown
from fitness.nouns import Evaluation, Split, Trial

ENGINE = "engine"  # who selects, and who prints the final table
SELECTION = "selection on dev instances"


class _Answer(NamedTuple):
    """What the Ladder said of a method; None when it was not asked."""

    method: str
    lineage: str
    instances: int
    answer: float | None


class Disclosure:
    """One Ladder per search domain, and a row in `looks` for every score that leaves the vault."""

    def __init__(self, archive: Archive, domains: Sequence[str], shares: bool = True) -> None:
        """Go on where the archive's ledger ends; `shares` tells whether values are asked about, or gaps recovered."""
        self._archive, self._domains, self._shares = archive, tuple(domains), shares
        self._scores: dict[str, dict[str, CoarseScore]] = {domain: {} for domain in domains}  # of each method
        self._lineages: dict[str, str] = {}
        self._ladders = {domain: self._recall(domain) for domain in domains}

    def ancestor_seed(self, method: str, parents: Sequence[str] = ()) -> str:
        """Return the seed that a method's first parents go back to: its own id for a seed."""
        if method not in self._lineages:
            self._lineages[method] = self._lineages.get(parents[0], parents[0]) if parents else method
        return self._lineages[method]

    def judged(self, evaluation: Evaluation, parents: Sequence[str] = ()) -> None:
        """Enter a dev evaluation in the ledger; one that is whole asks the Ladder of each search domain."""
        lineage = self.ancestor_seed(evaluation.method, parents)
        for domain in self._domains:
            trials = [trial for trial in evaluation.trials if trial.domain == domain]
            answer = self._ask(evaluation.method, domain, trials) if evaluation.fitness is not None else None
            if trials:
                self._archive.look(Look(ENGINE, evaluation.method, lineage, domain, Split.DEV, len(trials), SELECTION, answer))

    def scores(self, method: str) -> tuple[CoarseScore, ...]:
        """Return all that a prompt may show of a method's scores."""
        return tuple(known[method] for known in self._scores.values() if method in known)

    def exhibit(self, method: MethodRecord) -> Exhibit:
        """Return a method as a brief shows it; of its scores only the coarse ones."""
        return Exhibit(method.method, method.name, self.scores(method.id))

    def prompted(self, model: str, proposal: int, methods: Sequence[str]) -> None:
        """Enter in the ledger what a model's prompt showed."""
        why = f"the brief of proposal {proposal}"
        self._archive.look(
            *(
                Look(model, method, self.ancestor_seed(method), score.domain, Split.DEV, score.instances, why, score.rung)
                for method in methods
                for score in self.scores(method)
            )
        )

    def _ask(self, method: str, domain: str, trials: Sequence[Trial]) -> float:
        scores = [trial.score for trial in trials if trial.score]
        asked = fmean(s.value for s in scores) if self._shares else min(max(fmean(s.pgr for s in scores), 0.0), 1.0)
        rung = self._ladders[domain].ask(asked)
        anchors = (fmean(s.floor for s in scores), fmean(s.ceiling for s in scores)) if self._shares else (0.0, 1.0)
        pgr = shown(rung.value, *anchors)
        self._scores[domain][method] = CoarseScore(domain, len(scores), rung.value, pgr, rung.raised)
        return rung.value

    def _recall(self, domain: str) -> Ladder:
        """Rebuild a domain's Ladder, and what it said of each method, from the ledger."""
        row = self._archive.anchors(Split.DEV, domain)
        best, queries = 0.0, 0

        @cache
        def coarse(instances: int, answer: float, raised: bool) -> CoarseScore:
            anchors = (value(row, "floor", float), value(row, "ceiling", float)) if self._shares else (0.0, 1.0)
            pgr = shown(answer, *anchors)
            return CoarseScore(domain, instances, answer, pgr, raised)

        looks = "looks where who = ? and why = ? and domain = ? order by id"
        for method, lineage, instances, answer in self._archive.each(_Answer, looks, [ENGINE, SELECTION, domain]):
            self._lineages[method] = lineage
            if answer is not None:
                self._scores[domain][method] = coarse(instances, answer, answer > best)
                best, queries = answer, queries + 1
        return Ladder(best=best, queries=queries)
