"""What comes in beside the road of candidates: the seeds, and methods that people add while a run goes on."""

from __future__ import annotations

from evolve.search.context import Lab
from evolve.search.recorder import Population
from evolve.search.reporter import Teller
from evolve.selection.selector import Selector
from fitness.nouns import Evaluation


class Outside:
    """The way in for methods that no operator made."""

    def __init__(self, lab: Lab, selector: Selector, population: Population, teller: Teller) -> None:
        self._lab, self._selector, self._population, self._teller = lab, selector, population, teller

    def adopt(self) -> None:
        """Take in methods that `seed add` has put into the archive."""
        for method in self._population.adopt():
            self._lab.screen.remember(method)
            self._lab.archive.journal("adopt", method=method.id)

    def judged_seed(self, evaluation: Evaluation, name: str) -> None:
        """Record a seed's evaluation, and place it on every island."""
        with self._lab.archive.transaction():
            self._population.record(evaluation, None)
            for island in range(self._selector.islands):
                self._population.place(evaluation, island)
            self._lab.archive.journal("seed", method=evaluation.method)
        if evaluation.fitness is not None and not evaluation.flags:
            self._selector.add_seed(evaluation.method, evaluation.fitness)
        self._teller.seed(name, evaluation)
        self._teller.flags(evaluation)
