"""Selects what to ask next: island, parents, operator, direction and inspirations.

Islands follow FunSearch (Romera-Paredes et al. 2024): populations that evolve apart, whose worst half is now and then cleared
and started again from the elites of the others. Within an island parents come from the MAP-Elites grid (Mouret & Clune 2015):
every other time the fittest, else the fitter, the less often visited and the more curious, the likelier. Novelty
decides what is asked of a parent, not who is one. The second parent that a model is shown is drawn by fitness and by what it
would add to the first; other second parents, and one inspiration, by fitness alone; the other inspiration is a human baseline,
for elites come to consist of the same steps.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from archives.nouns import MethodRecord
from evolve.islands.islands import Islands
from evolve.nouns import Subject
from evolve.selection.bandit import Arm, Bandit
from evolve.selection.choice import Choice, Proposer, Reward
from evolve.selection.directions import Ballot, Directions
from evolve.selection.novelty import Novelty, Recent
from evolve.selection.pairing import Pairing, Partners, partners
from evolve.selection.parents import Draw, FirstParent, Parents, draw_by_rank, draw_evenly
from evolve.selection.repairs import RepairQueue
from evolve.selection.strategies import STRATEGIES, Strategy
from evolve.selection.tunings import Promise, TuningQueue
from fitness.nouns import Direction

CANDIDATES = 16  # prompts drawn before the one with the most value plus novelty is chosen
INSPIRATIONS = 2  # in a brief
Donors = tuple[Sequence[str], Draw]  # methods, and how they are drawn
BY_RANK = Pairing(None, lambda method, direction: True)


class Selector:
    """Chooses prompts from the state of the islands.

    On resume its state is rebuilt by repeating `used`, `learn`, `failed`, `promising`, `child` and `add_direction` in the order
    in which they were called; each takes the same time however many there were.
    """

    def __init__(
        self,
        islands: Islands,
        seeds: Sequence[str],
        sources: Sequence[Proposer],
        directions: Sequence[Direction],
        novelty: float,
        strategy: Strategy = STRATEGIES["map-elites"],
        pairing: Pairing = BY_RANK,
    ) -> None:
        """Begin with nothing used; islands and seeds, from the least fit to the fittest, are looked up while they change."""
        self._islands, self._seeds, self._strategy, self._pairing = islands, seeds, strategy, pairing
        self._novelty = Novelty(len(directions), novelty)
        self._parents = Parents(islands, seeds, strategy, self._novelty)
        self.bandit = Bandit()
        self._sources = tuple(s for s in sources if not strategy.operators or s.operator in strategy.operators)
        self._subjects = {source.operator: source.subject for source in sources}
        self._directions = Directions(len(islands), directions)
        self._born: dict[str, str] = {}  # the direction that an elite was made for
        self._repairs, self._tunings = RepairQueue(len(islands)), TuningQueue(len(islands))

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Every direction of the run, also those that retired."""
        return self._directions.all

    def subject(self, operator: str) -> Subject:
        """Return what an operator works on; one that this session does not have is taken to have bred."""
        return self._subjects.get(operator, "parents")

    @property
    def recent(self) -> Recent:
        """The recent prompts and children."""
        return self._novelty.recent

    # what happened

    def used(self, choice: Choice) -> None:
        """Remember a prompt that was used."""
        self._repairs.used(choice)
        match self.subject(choice.operator):
            case "direction":
                self._directions.varied(choice.direction.name, choice.island)
            case "constants":
                self._tunings.used(choice.parents[0])
            case "parents" | "failure":
                self._novelty.used(choice)
                self._parents.used(choice)

    def child(self, method: MethodRecord) -> None:
        """Remember how a method looks: a seed, or a child that passed the screen."""
        self._novelty.add(method)

    def learn(self, choice: Choice, reward: Reward) -> None:
        """Give a direction and an arm credit for what came of a proposal of theirs, or did not."""
        subject = self.subject(choice.operator)
        if subject == "record":
            return
        if reward.placed and reward.method:
            self._born[reward.method] = choice.direction.name
        if subject == "constants":
            self._credit(choice, reward)
            return
        arm, judged = Arm(choice.island, choice.model, choice.operator), subject != "direction"
        self.bandit.learn(arm, reward.placed, reward.gain, reward.usage, judged=judged)
        if judged:
            self._directions.learn(choice.direction.name, choice.island, reward.placed)
            self._parents.learn(choice, reward.placed)

    def _credit(self, choice: Choice, reward: Reward) -> None:
        """Credit who wrote a child with what its tuning gained: its idea was as good as that all along."""
        promise = self._tunings.used(choice.parents[0])
        if promise is not None and reward.gain:
            writer = promise.writer
            self.bandit.credit(Arm(writer.island, writer.model, writer.operator), promise.gain, reward.gain)

    def judged(self, method: str, proposal: int) -> None:
        """Remember a child that was judged OK; the one of the newest proposal is the last."""
        self._parents.judged(method, proposal)

    def failed(self, choice: Choice, proposal: int) -> None:
        """Remember a child that failed and has a source, so that a model can repair it once."""
        self._repairs.failed(choice, proposal)

    def promising(self, method: str, promise: Promise) -> None:
        """Remember a child that declares constants and came near its parent: it is owed one tuning."""
        self._tunings.add(method, promise)

    def ablates(self, choice: Choice) -> bool:
        """Tell whether a choice takes the record apart: what it tries is all that it is to bring."""
        return self.subject(choice.operator) == "record"

    def tunes(self, choice: Choice) -> bool:
        """Tell whether a choice tunes the constants of its parent."""
        return self.subject(choice.operator) == "constants"

    @property
    def owes_tuning(self) -> bool:
        """Whether any child waits for its constants to be tuned."""
        return bool(self._tunings)

    def add_direction(self, direction: Direction, island: int) -> None:
        """Let a new direction live on an island; the worst one there retires when there are too many."""
        self._directions.add(direction, island)

    def retire(self, model: str) -> None:
        """Ask a model no more in this session."""
        self._sources = tuple(source for source in self._sources if source.model != model)

    # the choice

    def choose(
        self,
        number: int,
        needs_model: bool | None,
        rng: random.Random,
        experiments: bool = False,
        record: str = "",
        tunes: bool = False,
    ) -> Choice:
        """Choose a prompt for proposal `number`: of several drawn, the one with the most value plus weighted novelty.

        `needs_model` restricts the operators to those that call a model, or to those that do not; `experiments` admits those
        that try variants first. A `record` that is to be experimented on goes before all else; then, if the search `tunes`, a
        child whose constants are owed a tuning; then a direction that is owed an offspring. A failure is repaired when the
        bandit draws an operator for that, which it may only now and then.
        """
        island = number % len(self._islands)
        able = [s for s in self._sources if experiments or not s.experiments]
        fitting = [s for s in able if needs_model is None or bool(s.model) == needs_model]
        if self._strategy.even:
            return self._evenly(island, [s for s in fitting or able if s.subject == "parents"], rng)
        trying = [s for s in able if s.subject == "record"] if record else []
        if trying:
            return self._try(island, trying[0], record)
        tuning = [s for s in able if s.subject == "constants"] if tunes else []
        promising = self._tunings.next(island) if tuning else None
        if promising is not None:
            return self._tune(tuning[0], *promising)
        owed, varying = self._directions.owed(island), [s for s in fitting if s.subject == "direction"]
        if owed is not None and varying:
            return self._vary(island, self._source(island, varying, rng), owed)
        breeding = [s for s in fitting if s.subject == "parents"] or [s for s in able if s.subject == "parents"]
        broken = self._repairs.newest(island)
        mending = [s for s in fitting if s.subject == "failure"] if broken else []
        first = self._source(island, [*breeding, *mending], rng)
        if broken and first in mending:
            return self._fix(first, *broken)
        first_parent = self._parents.first(island, rng)
        ballot = self._directions.ballot(island, self.recent.rarity, partial(self._pairing.takes_up, first_parent[0]))
        sources = [first, *self._sources_of(island, breeding, CANDIDATES - 1, rng)]
        crossing = any(source.parents > 1 and source.model for source in sources)
        few = self._partners(island, first_parent[0], rng) if crossing else None
        drawn = [self._draw(island, s, first_parent, ballot, few if s.model else None, rng) for s in sources]
        weight, novelties = self.recent.weight, [self._novelty.of(choice) for choice in drawn]
        worth = [choice.value + weight * novelty for choice, novelty in zip(drawn, novelties)]
        best = drawn[worth.index(max(worth))]
        donors = ((self._parents.company(island), draw_by_rank), (self._seeds, draw_evenly))
        inspired = replace(best, inspirations=self._inspire(best.parents, donors, rng))
        return replace(inspired, novelty=self._novelty.of(inspired), pairs=tuple(few.adds.items()) if few else ())

    def _source(self, island: int, sources: Sequence[Proposer], rng: random.Random) -> Proposer:
        return self._sources_of(island, sources, 1, rng)[0]

    def _sources_of(self, island: int, sources: Sequence[Proposer], times: int, rng: random.Random) -> list[Proposer]:
        arms = [Arm(island, s.model, s.operator) for s in sources]
        return [sources[drawn] for drawn in self.bandit.draw(arms, times, rng)]

    def _partners(self, island: int, parent: str, rng: random.Random) -> Partners | None:
        """Return who may be crossed with a parent, the same for all prompts to it; None where rank alone decides."""
        adds, company = self._pairing.adds, self._parents.company(island)
        return None if adds is None else partners(company, parent, adds, self._novelty.alike, rng)

    def _draw(
        self, island: int, source: Proposer, first_parent: FirstParent, ballot: Ballot, few: Partners | None, rng: random.Random
    ) -> Choice:
        parent, cell, worth = first_parent
        direction, standing = ballot.draw(rng)
        value = (worth + standing) / 2
        others, company = source.parents - 1, self._parents.company(island)
        parents = (parent, *(few.draw(others, rng) if few else draw_by_rank(company, others, (parent,), rng)))
        return Choice(island, source.operator, source.model, direction, parents, (), value, 0.0, cell=cell)

    def _evenly(self, island: int, sources: Sequence[Proposer], rng: random.Random) -> Choice:
        """Choose seed, operator and direction evenly."""
        source, direction = rng.choice(sources), rng.choice(self._directions.live(island))
        parent = rng.choice(self._seeds)
        parents = (parent, *draw_evenly(self._seeds, source.parents - 1, (parent,), rng))
        inspirations = self._inspire(parents, ((self._seeds, draw_evenly),) * INSPIRATIONS, rng)
        return Choice(island, source.operator, source.model, direction, parents, inspirations, 0.0, 0.0)

    def _vary(self, island: int, source: Proposer, direction: Direction) -> Choice:
        """Ask for an offspring of a direction, beside the best elite that it produced (the island's best when that is gone)."""
        ranked = self._islands[island].ranked
        own = [elite for elite in ranked if self._born.get(elite.method) == direction.name]
        best = (own or ranked)[-1].method
        choice = Choice(island, source.operator, source.model, direction, (best,), (), 1.0, 0.0)
        return replace(choice, novelty=self._novelty.of(choice))

    def _try(self, island: int, source: Proposer, record: str) -> Choice:
        """Ask for experiments on the record, in the name of the direction that it was made for."""
        known = {direction.name: direction for direction in self.directions}
        direction = known.get(self._born.get(record, ""), self.directions[0])
        choice = Choice(island, source.operator, source.model, direction, (record,), (), 1.0, 0.0)
        return replace(choice, novelty=self._novelty.of(choice))

    def _fix(self, source: Proposer, proposal: int, broken: Choice) -> Choice:
        """Ask for the repair of a failed child of some parents."""
        named = replace(broken, operator=source.operator, model=source.model, inspirations=(), value=1.0, fixes=proposal)
        return replace(named, novelty=self._novelty.of(named))

    def _tune(self, source: Proposer, method: str, promise: Promise) -> Choice:
        """Ask for other values of the constants that a child declares."""
        return Choice(promise.writer.island, source.operator, source.model, promise.writer.direction, (method,), (), 1.0, 0.0)

    def _inspire(self, parents: tuple[str, ...], donors: Iterable[Donors], rng: random.Random) -> tuple[str, ...]:
        """Return a method of each group of donors that is unlike the parents: the farthest of a few drawn."""
        chosen: tuple[str, ...] = ()
        for methods, draw in donors:
            sample = draw(methods, 3, (*parents, *chosen), rng)
            if sample:
                chosen += (max(sample, key=lambda m: min(self._novelty.distance(m, p) for p in (*parents, *chosen))),)
        return chosen
