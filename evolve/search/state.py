"""Keeps what a search knows of a run between steps; restore.py rebuilds it on resume."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import fmean

from archives.nouns import MethodRecord
from evolve.nouns import Brief, Broken, Exhibit, Failure, Relative
from evolve.search.feedback import DeletedLines
from evolve.selection.choice import Choice
from fitness.nouns import Evaluation, Interval, Status

FAILURES = 200  # failures that are remembered
SHOWN = 4  # failures shown in a brief
BROKEN = 64  # failed children that can still be repaired
FAMILY = 60  # methods of one structure that a brief names, the newest
NO_GAIN = "judged, and not placed: no better than what its cell holds"


class SearchState:
    """Methods, their dev PGRs, the best, the seeds, and recent failures.

    Attributes:
        methods: every method by id.
        seeds: the human baselines and the user's own seeds, in the order they were added; `ranked_seeds`: ids of the sound ones
            from the least fit to the fittest.
        judged: ids that have a dev evaluation of the method's own (not lost); `scored`: those of them that were judged OK.
        flagged: ids that a probe failed.
        best: id of the fittest method that is not a seed, or of the fittest seed before there is one; never a flagged one.
    """

    def __init__(self, read: Callable[[str], tuple[float, ...]] = lambda _method: ()) -> None:
        """Begin with nothing; `read` returns the dev PGRs of a method that was judged in an earlier session."""
        self.methods: dict[str, MethodRecord] = {}
        self.seeds: list[MethodRecord] = []
        self.ranked_seeds: list[str] = []
        self.judged: set[str] = set()
        self.scored: set[str] = set()
        self.flagged: set[str] = set()
        self.best = ""
        self.best_interval: Interval | None = None
        self.last_proposal = 0
        self.refusals = 0
        self.judged_here = 0
        self._read, self._pgrs = read, dict[str, tuple[float, ...]]()
        self._fitness: dict[str, float] = {}
        self._measures: dict[str, Mapping[str, float]] = {}
        self._failures: deque[tuple[frozenset[str], str, str]] = deque(maxlen=FAILURES)
        self._broken: dict[int, Broken] = {}
        self._parents: dict[str, str] = {}  # the first parent of each method that is no seed
        self._lineages = DeletedLines()
        self._families: dict[str, list[str]] = {}  # structure -> methods, in the order they were added

    @property
    def baselines(self) -> dict[str, float]:
        """The mean dev PGR of each seed, by name."""
        return {m.name: sum(self.pgrs(m.id)) / len(self.pgrs(m.id)) for m in self.seeds if m.id in self.scored}

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
            self._parents[method.id] = parent
        self._families.setdefault(method.structure, []).append(method.id)

    def brief(self, choice: Choice, parents: Sequence[Exhibit], inspirations: Sequence[Exhibit]) -> Brief:
        """Return what an operator is told: the exhibits, and what was tried nearby."""
        return Brief(
            direction=choice.direction,
            parents=tuple(parents),
            inspirations=tuple(inspirations),
            failures=tuple(Failure(*pair) for pair in self.failures(choice.parents, SHOWN)),
            deleted=self.deleted(choice.parents[0]),
            broken=self.broken(choice.fixes) if choice.fixes is not None else None,
            family=self._family(choice.parents[0]),
        )

    def add_evaluation(self, evaluation: Evaluation, interval: Interval | None) -> None:
        """Remember a dev evaluation, with its interval when no stopping rule cut it short."""
        if evaluation.flags:
            self.flagged.add(evaluation.method)
        if evaluation.status is Status.OK:
            self._pgrs[evaluation.method] = evaluation.pgrs
        if self.add_outcome(evaluation.method, evaluation.status, evaluation.fitness, evaluation.measures):
            self.best_interval = interval

    def add_outcome(self, method: str, status: Status, fitness: float | None, measures: Mapping[str, float]) -> bool:
        """Remember what a dev evaluation came to; tell whether the method is the best so far. A lost one came to nothing."""
        if status is Status.LOST:
            return False
        self.judged.add(method)
        self.judged_here += self._bred(method)
        if status is not Status.OK:
            return False
        self.scored.add(method)
        if fitness is None:
            return False
        self._fitness[method], self._measures[method] = fitness, measures
        if method in self.flagged:
            return False
        if not self._bred(method):
            sound = self.sound_seeds()
            self.ranked_seeds[:] = sorted(sound, key=lambda seed: (sound[seed], seed))
        bred, champion = self._bred(method), bool(self.best) and self._bred(self.best)
        if not self.best or bred > champion or (bred == champion and fitness > self._fitness[self.best]):
            self.best = method
            return True
        return False

    def flag(self, method: str) -> None:
        """Remember that a probe failed a method."""
        self.flagged.add(method)

    def fitness(self, method: str) -> float:
        """Return a parent's fitness, or its mean PGR where a race cut it short."""
        return self._fitness[method] if method in self._fitness else fmean(self.pgrs(method))

    def refused(self, parents: Sequence[str], summary: str, reason: str) -> None:
        """Remember that a child of these parents was refused."""
        self.refusals += 1
        self.failed(parents, summary, reason)

    def failed(self, parents: Sequence[str], summary: str, reason: str) -> None:
        """Remember that something was tried on these parents and did not work."""
        self._failures.append((frozenset(parents), summary, reason))

    def deleted(self, method: str) -> tuple[str, ...]:
        """Return the lines that a method's lineage had once and deleted, the newest deletion first."""
        self._trace(method)
        return self._lineages.deleted(method)

    def readded(self, parent: str, source: str) -> tuple[str, ...]:
        """Return the lines of a child that its parent's lineage had deleted."""
        self._trace(parent)
        return self._lineages.readded(parent, source)

    def judged_as(self, parents: Sequence[str], summary: str, evaluation: Evaluation, placed: bool) -> None:
        """Remember a judged child that led nowhere: it failed, was flagged, or gained nothing."""
        readded = len(self.readded(parents[0], self.methods[evaluation.method].source))
        if readded and not placed:
            summary = f"{summary} ({readded} of its lines had been deleted in this lineage before)"
        if evaluation.status is not Status.OK:
            self.failed(parents, summary, f"{evaluation.status}: {evaluation.message}")
        elif evaluation.flags:
            self.failed(parents, summary, f"flagged by {' '.join(evaluation.flags)}")
        elif not placed:
            self.failed(parents, summary, NO_GAIN)

    def keep_broken(self, proposal: int, source: str, reason: str) -> None:
        """Keep a child that failed, so that a model may repair it; the oldest is forgotten."""
        self._broken[proposal] = Broken(source, reason)
        if len(self._broken) > BROKEN:
            del self._broken[next(iter(self._broken))]

    def broken(self, proposal: int) -> Broken | None:
        """Return the failed child of a proposal, None when it did not fail or is forgotten."""
        return self._broken.get(proposal)

    def failures(self, parents: Sequence[str], most: int) -> list[tuple[str, str]]:
        """Return what was tried on these parents and failed, newest first."""
        near = [(s, r) for tried, s, r in reversed(self._failures) if tried & set(parents)]
        return near[:most]

    def sound_seeds(self) -> dict[str, float]:
        """Return the fitness of the seeds that have one and that no probe failed, by id."""
        return {m.id: self._fitness[m.id] for m in self.seeds if m.id in self._fitness and m.id not in self.flagged}

    def measures(self, method: str) -> Mapping[str, float]:
        """Return the measures of a method that has a fitness."""
        return self._measures[method]

    def finalists(self, most: int, without: Collection[str] = ()) -> list[MethodRecord]:
        """Return the fittest bred methods that no probe failed, best first; the fittest seed when there are none."""
        clean = [m for m in self._fitness if m not in self.flagged and m not in without]
        order = sorted(clean, key=lambda m: (self._bred(m), m == self.best, self._fitness[m]), reverse=True)
        bred = [m for m in order if self._bred(m)]
        return [self.methods[m] for m in (bred or order[:1])[:most]]

    def _trace(self, method: str) -> None:
        """Follow a method's lineage from where it is known already; most methods are never a parent and are never followed."""
        line: dict[str, None] = {}
        one: str | None = method
        while one in self.methods and one not in line and not self._lineages.knows(one):
            line[one] = None
            one = self._parents.get(one)
        for one in reversed(line):
            self._lineages.add(one, self.methods[one].source, self._parents.get(one))

    def _family(self, method: str) -> tuple[Relative, ...]:
        """Return the methods of a method's structure that have a fitness, itself included."""
        kin = self._families.get(self.methods[method].structure, [])
        return tuple(Relative(self.methods[m].constants, self._fitness[m]) for m in kin[-FAMILY:] if m in self._fitness)

    def _bred(self, method: str) -> bool:
        return self.methods[method].origin == "search"
