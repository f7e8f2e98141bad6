"""Records and places judged methods on the islands: the rival to beat, migration, reset, and what people add."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from archives.archive import Archive
from archives.nouns import Elite, MethodRecord, Placement
from evolve.config import Config
from evolve.islands.islands import Islands
from evolve.islands.migration import TOPOLOGIES, founder, migrants, worst_half
from evolve.nouns import Exhibit
from evolve.prompting.disclosure import Disclosure
from evolve.search.restore import tell_outcomes
from evolve.search.state import SearchState
from evolve.selection.selector import Selector
from evolve.text import short
from fitness import pgr
from fitness.nouns import Direction, Evaluation, Split

Tell = Callable[[str, str, int | None, str | None, float | None], None]  # kind, text, island, method, value


class Recorder:
    """The archive's grids, the selector's picture of them, and the memory of scores, kept in step."""

    def __init__(
        self,
        archive: Archive,
        islands: Islands,
        selector: Selector,
        state: SearchState,
        disclosure: Disclosure,
        config: Config,
        tell: Tell,
    ) -> None:
        self.archive, self.islands, self.selector, self.state, self.disclosure = archive, islands, selector, state, disclosure
        self._config, self._tell = config, tell

    def record(self, evaluation: Evaluation, proposal: int | None, parents: Sequence[str] = ()) -> None:
        """Store a dev evaluation and enter it in the ledger; it has an interval only when no stopping rule cut it short."""
        interval = pgr.interval(*evaluation.strata) if evaluation.fitness is not None else None
        self.archive.add_evaluation(evaluation, proposal, self._config.domain, Split.DEV, interval)
        self.state.add_evaluation(evaluation, interval)
        self.disclosure.judged(evaluation, parents)

    def place(self, evaluation: Evaluation, island: int) -> Placement:
        """Offer a judged method to its cell of an island; one that a probe failed is never placed."""
        if evaluation.fitness is None or evaluation.flags:
            return Placement.REJECTED
        return self._offer(evaluation.method, evaluation.fitness, evaluation.measures, island)

    def gain(self, evaluation: Evaluation, parent: str) -> float:
        """Return how much fitter a judged method is than a parent, 0 when it is not."""
        if evaluation.fitness is None or evaluation.flags:
            return 0.0
        return max(0.0, evaluation.fitness - self.state.fitness(parent))

    def rival(self, island: int) -> Sequence[float]:
        """Return the PGRs that a child has to keep up with, by instance: those of the island's fittest method.

        Cells that are open to anything take most trials for methods that no good child will be made of. An acceptance threshold
        (Fontaine and Nikolaidis 2023), here the best there is, keeps them for what is nearly as good.
        """
        ranked = self.islands[island].ranked
        return self.state.pgrs(ranked[-1].method) if ranked else ()

    def redirect(self, direction: Direction, island: int, proposal: int) -> None:
        """Take a new direction in on an island, under a name that no other has."""
        if any(known.name == direction.name for known in self.selector.directions):
            direction = replace(direction, name=f"{direction.name}-{proposal}")
        self.archive.add_direction(direction, proposal)
        self.selector.add_direction(direction, island)
        self._tell("direction", f"a new direction, {direction.name}: {direction.text}", island, None, None)

    def exhibit(self, method: str) -> Exhibit:
        """Return a method as a brief shows it; of its scores only the coarse ones."""
        record = self.state.methods[method]
        return Exhibit(record.method, record.name, self.disclosure.scores(method))

    def adopt(self) -> list[MethodRecord]:
        """Take in methods that `seed add` has put into the archive while the run goes on; return them."""
        by_hand = "origin != 'search' and origin = 'added'"  # the first part names the index: this is asked all the time
        new = [m for m in self.archive.methods(by_hand) if m.id not in self.state.methods]
        self.state.flagged |= self.archive.flagged() if new else set()
        for method in new:
            self.state.add_method(method, None)
            tell_outcomes(self.state, self.archive, method.id)
            self.selector.child(method)
        for elite in self.archive.elites() if new else ():
            if any(elite.method == m.id for m in new):
                self.islands.place(elite)
        return new

    def mix(self, evaluations: int, late: bool) -> None:
        """Every so many evaluations move the best elites on, or start the worst islands again (not when it is late)."""
        if len(self.islands) == 1:
            return
        if evaluations % self._config.reset_every == 0 and not late:
            self._reset(evaluations)
        elif evaluations % self._config.migrate_every == 0:
            self._migrate(evaluations)

    def _migrate(self, evaluations: int) -> None:
        rng = random.Random(f"{self._config.seed}/migrate/{evaluations}")
        routes = TOPOLOGIES[self._config.topology](len(self.islands), rng)
        with self.archive.transaction():
            for island, elite in migrants(self.islands, routes):
                if self._move(elite, island):
                    text = f"{short(elite.method)} moved from island {elite.island} to island {island}"
                    self._tell("migration", text, island, elite.method, evaluations)

    def _reset(self, evaluations: int) -> None:
        worst, rng = worst_half(self.islands), random.Random(f"{self._config.seed}/reset/{evaluations}")
        for island in worst:
            first = founder(self.islands, island, worst, rng)
            if first is None:
                continue
            with self.archive.transaction():
                self.archive.clear_island(island)
                self.islands[island].clear()
                for seed, fitness in self.state.sound_seeds().items():
                    self._offer(seed, fitness, self.state.measures(seed), island)
                self._move(first, island)
                text = f"island {island} starts again from {short(first.method)} of island {first.island}"
                self._tell("reset", text, island, first.method, evaluations)

    def _move(self, elite: Elite, island: int) -> Placement:
        """Offer an elite to another island; one that it has already is not placed again."""
        if any(known.method == elite.method for known in self.islands[island].values()):
            return Placement.REJECTED
        return self._offer(elite.method, elite.fitness, self.state.measures(elite.method), island)

    def _offer(self, method: str, fitness: float, measures: Mapping[str, float], island: int) -> Placement:
        elite = self.islands.elite(island, method, fitness, measures)
        placement = self.archive.place(elite) if elite else Placement.REJECTED
        if elite and placement:
            self.islands.place(elite)
        return placement
