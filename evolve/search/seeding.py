"""Brings in methods that no operator made: the seeds, and methods that people add while a run goes on."""

from __future__ import annotations

from evolve.search.context import RunContext
from evolve.search.recorder import Recorder
from evolve.search.reporter import Reporter
from fitness.nouns import Evaluation


class Seeding:
    """The way in for methods that no operator made."""

    def __init__(self, context: RunContext, islands: int, recorder: Recorder, reporter: Reporter) -> None:
        self._archive, self._screen = context.archive, context.screen
        self._islands, self._recorder, self._reporter = islands, recorder, reporter

    def adopt(self) -> None:
        """Take in methods that `seed add` has put into the archive."""
        for method in self._recorder.adopt():
            self._screen.remember(method)
            self._archive.journal("adopt", method=method.id)

    def judged_seed(self, evaluation: Evaluation, name: str) -> None:
        """Record a seed's evaluation, and place it on every island."""
        with self._archive.transaction():
            self._recorder.record(evaluation, None)
            for island in range(self._islands):
                self._recorder.place(evaluation, island)
            self._archive.journal("seed", method=evaluation.method)
        self._reporter.seed(name, evaluation)
        self._reporter.flags(evaluation)
