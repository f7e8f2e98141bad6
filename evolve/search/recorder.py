"""Records what happens in the archive and with its listeners; places methods, and moves elites between islands."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from archives.archive import Archive
from archives.nouns import Elite, MethodRecord, Placement, Usage
from evolve.config import Config
from evolve.islands.islands import Islands
from evolve.islands.migration import TOPOLOGIES, founder, migrants, worst_half
from evolve.operators.offline.declared import declares
from evolve.prompting.disclosure import Disclosure
from evolve.search.ablations import AblationQueue
from evolve.search.candidate import Ended, asked
from evolve.search.feedback import Feedback
from evolve.search.state import SearchState
from evolve.selection.choice import Choice
from evolve.selection.selector import Selector
from evolve.selection.tunings import Promise
from evolve.text import short
from fitness import pgr
from fitness.nouns import Evaluation, Split

REACH = 0.10  # PGR that a child may be behind its parent, on the instances of both, to have its declared constants tuned
Tell = Callable[[str, str, int | None, str | None, float | None], None]  # kind, text, island, method, value


@dataclass(frozen=True)
class Listeners:
    """Where each fact of a run has its home; the recorder and a restored archive tell them of the same events."""

    state: SearchState
    islands: Islands
    selector: Selector
    feedback: Feedback
    ablations: AblationQueue

    def asked(self, number: int, choice: Choice) -> None:
        """Remember a proposal that was begun."""
        self.state.last_proposal = number
        self.selector.used(choice)
        self.feedback.asked(number, choice)
        if self.selector.ablates(choice):
            self.ablations.asked(choice.parents[0])

    def passed(self, method: MethodRecord, parent: str | None = None) -> None:
        """Remember a method that passed the screen: a child of its first parent, or a seed."""
        self.state.add_method(method, parent)
        self.selector.child(method)
        self.feedback.add_method(method)

    def ended(self, event: Ended) -> None:
        """Remember what came of a proposal."""
        if self.selector.ablates(event.choice):
            self.ablations.ended(event.number, event.choice.parents[0])
            return
        if event.direction is not None:
            self.selector.add_direction(event.direction, event.choice.island)
        self.selector.learn(event.choice, event.reward)
        method = event.reward.method
        if event.broken:
            self.selector.failed(event.choice, event.number)
        elif method in self.state.scored and method not in self.state.flagged:
            self.selector.judged(method, event.number)
            self._promise(event)
        self.state.refusals += event.state == "refused"
        self.feedback.ended(event)

    def _promise(self, event: Ended) -> None:
        """Remember a model's child that declares constants and came within reach of its parent, on the instances of both."""
        method, choice = event.reward.method, event.choice
        if not choice.model or not declares(self.state.methods[method].source):
            return
        ours, theirs = self.state.pgrs(method), self.state.pgrs(choice.parents[0])
        both = list(zip(ours, theirs))
        if both and fmean(one - other for one, other in both) >= -REACH:
            self.selector.promising(method, Promise(choice, event.reward.gain, fmean(ours)))


class Recorder:
    """Writes what happens into the archive, and tells the listeners; `disclosure` keeps its own ledger there."""

    def __init__(self, archive: Archive, config: Config, listeners: Listeners, disclosure: Disclosure, tell: Tell) -> None:
        self._archive, self._config, self._listeners, self._disclosure = archive, config, listeners, disclosure
        self._state, self._islands, self._tell = listeners.state, listeners.islands, tell

    def asked(self, number: int, choice: Choice, worst: Usage, told: Sequence[str] = ()) -> None:
        """Record a proposal that begins, with what its first model call may cost; its brief has `told` scores of methods."""
        self._archive.add_proposal(asked(number, choice), worst)
        self._archive.add_pairs(choice.parents[0], choice.pairs)
        if choice.model:
            self._disclosure.prompted(choice.model, number, [self._state.born(method) for method in told])
        self._listeners.asked(number, choice)

    def passed(self, number: int, method: MethodRecord, parent: str) -> None:
        """Record a child that passed the screen."""
        self._archive.add_method(method)
        self._archive.set_proposal_state(number, "judging", method=method.id)
        self._listeners.passed(method, parent)

    def judged(self, evaluation: Evaluation, proposal: int | None = None, parents: Sequence[str] = ()) -> None:
        """Record a dev evaluation; it has an interval only when no stopping rule cut it short."""
        interval = pgr.interval_of(evaluation)
        self._archive.add_evaluation(evaluation, proposal, self._config.domain, Split.DEV, interval)
        self._state.add_evaluation(evaluation, interval)
        self._disclosure.judged(evaluation, parents)

    def ended(self, event: Ended) -> None:
        """Record how a proposal ended."""
        if event.placement is not None:
            placed = {"placement": event.placement.name, "gain": event.reward.gain}
            self._archive.set_proposal_state(event.number, event.state, **placed)
        elif event.reason is not None:
            self._archive.set_proposal_state(event.number, event.state, reason=event.reason)
        self._listeners.ended(event)

    def place(self, evaluation: Evaluation, island: int) -> Placement:
        """Offer a judged method to its cell of an island; one that a probe failed is never placed."""
        if evaluation.fitness is None or evaluation.flags:
            return Placement.REJECTED
        return self._offer(evaluation.method, evaluation.fitness, evaluation.measures, island)

    def gain(self, evaluation: Evaluation, rivals: Sequence[str]) -> float:
        """Return how much fitter a judged method is than the fittest of some others, 0 when it is not."""
        if evaluation.fitness is None or evaluation.flags:
            return 0.0
        return max(0.0, evaluation.fitness - max(map(self._state.fitness, rivals)))

    def rival(self, island: int) -> Sequence[float]:
        """Return the PGRs that a child has to keep up with, by instance: those of the island's fittest method.

        Cells that are open to anything take most trials for methods that no good child will be made of. An acceptance threshold
        (Fontaine and Nikolaidis 2023), here the best there is, keeps them for what is nearly as good.
        """
        ranked = self._islands[island].ranked
        return self._state.pgrs(ranked[-1].method) if ranked else ()

    def mix(self, evaluations: int, late: bool) -> None:
        """Every so many evaluations move the best elites on, or start the worst islands again (not when it is late)."""
        if len(self._islands) == 1:
            return
        if evaluations % self._config.reset_every == 0 and not late:
            self._reset(evaluations)
        elif evaluations % self._config.migrate_every == 0:
            self._migrate(evaluations)

    def _migrate(self, evaluations: int) -> None:
        rng = random.Random(f"{self._config.seed}/migrate/{evaluations}")
        routes = TOPOLOGIES[self._config.topology](len(self._islands), rng)
        with self._archive.transaction():
            for island, elite in migrants(self._islands, routes):
                if self._move(elite, island):
                    text = f"{short(elite.method)} moved from island {elite.island} to island {island}"
                    self._tell("migration", text, island, elite.method, evaluations)

    def _reset(self, evaluations: int) -> None:
        worst, rng = worst_half(self._islands), random.Random(f"{self._config.seed}/reset/{evaluations}")
        for island in worst:
            first = founder(self._islands, island, worst, rng)
            if first is None:
                continue
            with self._archive.transaction():
                self._archive.clear_island(island)
                self._islands[island].clear()
                for seed, fitness in self._state.sound_seeds().items():
                    self._offer(seed, fitness, self._state.measures(seed), island)
                self._move(first, island)
                text = f"island {island} starts again from {short(first.method)} of island {first.island}"
                self._tell("reset", text, island, first.method, evaluations)

    def _move(self, elite: Elite, island: int) -> Placement:
        """Offer an elite to another island; one that it has already is not placed again."""
        if any(known.method == elite.method for known in self._islands[island].values()):
            return Placement.REJECTED
        return self._offer(elite.method, elite.fitness, self._state.measures(elite.method), island)

    def _offer(self, method: str, fitness: float, measures: Mapping[str, float], island: int) -> Placement:
        elite = self._islands.elite(island, method, fitness, measures)
        placement = self._archive.place(elite) if elite else Placement.REJECTED
        if elite and placement:
            self._islands.place(elite)
        return placement
