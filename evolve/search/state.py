"""Keeps what is known of a run's methods; restore.py tells it of earlier sessions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from statistics import fmean

from archives.nouns import MethodRecord
from fitness.nouns import Evaluation, Interval, Status


class SearchState:
    """Methods, their parents, what they scored on dev instances, the seeds and the best.

    Attributes:
        methods: every method by id.
        parents: the first parent of each method that is no seed.
        seeds: the human baselines and the user's own seeds, in the order they were added; `ranked_seeds`: ids of the sound ones
            from the least fit to the fittest.
        judged: ids that have a dev evaluation of the method's own (not lost); `scored`: those of them that were judged OK.
        flagged: ids that a probe failed.
        experimented: on how many instances the variants of proposals were tried.
        best: id of the fittest method that is not a seed, or of the fittest seed before there is one; never a flagged one.
    """

    def __init__(self, read: Callable[[str], tuple[float, ...]] = lambda _method: ()) -> None:
        """Begin with nothing; `read` returns the dev PGRs of a method that was judged in an earlier session."""
        self.methods: dict[str, MethodRecord] = {}
        self.parents: dict[str, str] = {}
        self.seeds: list[MethodRecord] = []
        self.ranked_seeds: list[str] = []
        self.judged: set[str] = set()
        self.scored: set[str] = set()
        self.flagged: set[str] = set()
        self.best = ""
        self.best_interval: Interval | None = None
        self.last_proposal = 0
        self.refusals = 0
        self.experimented = 0
        self._read, self._pgrs = read, dict[str, tuple[float, ...]]()
        self._fitness: dict[str, float] = {}
        self._measures: dict[str, Mapping[str, float]] = {}

    @property
    def baselines(self) -> dict[str, float]:
        """The mean dev PGR of each seed, by name."""
        return {m.name: sum(self.pgrs(m.id)) / len(self.pgrs(m.id)) for m in self.seeds if m.id in self.scored}

    def born(self, method: str) -> tuple[MethodRecord, str | None]:
        """Return a method and its first parent, which a seed has not."""
        return self.methods[method], self.parents.get(method)

    def pgrs(self, method: str) -> tuple[float, ...]:
        """Return the dev PGRs of a method that was judged OK, instance by instance."""
        if method not in self._pgrs:
            self._pgrs[method] = self._read(method)
        return self._pgrs[method]

    def add_method(self, method: MethodRecord, parent: str | None = None) -> None:
        """Remember a method, and the first parent that it came from."""
        if method.id not in self.methods and method.origin in ("seed", "added"):
            self.seeds.append(method)
        self.methods[method.id] = method
        if parent is not None:
            self.parents[method.id] = parent

    def add_evaluation(self, evaluation: Evaluation, interval: Interval | None) -> None:
        """Remember a dev evaluation, with its interval unless a stopping rule cut it short."""
        method, status, flagged = evaluation.method, evaluation.status, bool(evaluation.flags)
        if status is Status.OK:
            self._pgrs[method] = evaluation.pgrs
        if self.add_outcome(method, status, evaluation.fitness, evaluation.measures, flagged):
            self.best_interval = interval

    def add_outcome(
        self, method: str, status: Status, fitness: float | None, measures: Mapping[str, float], flagged: bool
    ) -> bool:
        """Remember what a dev evaluation came to, nothing when it was lost; tell whether the method is the best so far."""
        if flagged:
            self.flagged.add(method)
        if status is Status.LOST:
            return False
        self.judged.add(method)
        if status is not Status.OK:
            return False
        self.scored.add(method)
        if fitness is None:
            return False
        self._fitness[method], self._measures[method] = fitness, measures
        bred, champion = self._bred(method), bool(self.best) and self._bred(self.best)
        if not bred:
            sound = self.sound_seeds()
            self.ranked_seeds[:] = sorted(sound, key=lambda seed: (sound[seed], seed))
        if flagged or (self.best and (bred < champion or (bred == champion and fitness <= self._fitness[self.best]))):
            return False
        self.best = method
        return True

    def flag(self, method: str) -> None:
        """Remember that a probe failed a method."""
        self.flagged.add(method)

    def fitness(self, method: str) -> float:
        """Return a parent's fitness, or its mean PGR where a race cut it short."""
        return self._fitness[method] if method in self._fitness else fmean(self.pgrs(method))

    def sound_seeds(self) -> dict[str, float]:
        """Return the fitness of the seeds that have one and that no probe failed, by id."""
        return {m.id: self._fitness[m.id] for m in self.seeds if m.id in self._fitness and m.id not in self.flagged}

    def known_fitness(self, method: str) -> float | None:
        """Return the fitness of a method that has one."""
        return self._fitness.get(method)

    def measures(self, method: str) -> Mapping[str, float]:
        """Return the measures of a method that has a fitness."""
        return self._measures[method]

    def finalists(self, most: int, without: Collection[str] = ()) -> list[MethodRecord]:
        """Return the fittest bred methods that no probe failed, best first: a baseline is never what the search has found."""
        clean = [m for m in self._fitness if self._bred(m) and m not in self.flagged and m not in without]
        order = sorted(clean, key=lambda m: (m == self.best, self._fitness[m]), reverse=True)
        return [self.methods[m] for m in order[:most]]

    def _bred(self, method: str) -> bool:
        return self.methods[method].origin == "search"
