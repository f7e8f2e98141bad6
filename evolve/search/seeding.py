"""Brings in methods that no operator made: the seeds, and methods that people add while a run goes on."""

from __future__ import annotations

from evolve.search.context import RunContext
from evolve.search.recorder import Listeners, Recorder
from evolve.search.reporter import Reporter
from evolve.search.restore import restore_method
from fitness.nouns import Evaluation


class Seeding:
    """The way in for methods that no operator made."""

    def __init__(self, context: RunContext, listeners: Listeners, recorder: Recorder, reporter: Reporter) -> None:
        self._archive, self._screen = context.archive, context.screen
        self._listeners, self._recorder, self._reporter = listeners, recorder, reporter
        self._state, self._islands = listeners.state, listeners.islands

    def adopt(self) -> None:
        """Take in methods that `seed add` has put into the archive."""
        by_hand = "origin != 'search' and origin = 'added'"  # the first part names the index: this is asked all the time
        for method in self._archive.methods(by_hand):
            if method.id not in self._state.methods:
                restore_method(self._archive, method, self._listeners)
                self._screen.remember(method)
                self._archive.journal("adopt", method=method.id)

    def judged_seed(self, evaluation: Evaluation, name: str) -> None:
        """Record a seed's evaluation, and place it on every island."""
        with self._archive.transaction():
            self._recorder.judged(evaluation)
            for island in range(len(self._islands)):
                self._recorder.place(evaluation, island)
            self._archive.journal("seed", method=evaluation.method)
        self._reporter.seed(name, evaluation)
        self._reporter.flags(evaluation)
