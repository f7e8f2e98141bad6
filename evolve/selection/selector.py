"""Selects what to ask next: island, parents, operator, direction and inspirations; migration and reset.

Islands follow FunSearch (Romera-Paredes et al. 2024): populations that evolve apart, whose worst half is now and then cleared
and started again from the elites of the others. Within an island parents come from the MAP-Elites grid (Mouret & Clune 2015):
every other time the fittest, else the fitter, the less often visited and the more curious, the likelier. Novelty
decides what is asked of a parent, not who is one. Second parents are drawn by fitness alone, and so is one inspiration; the
other is a human baseline, for elites come to consist of the same steps. The curiosity of a cell (Cully & Demiris 2018) grows by
1 with every child of its elites that is placed, and falls by .5 with any other.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from archives.nouns import Elite, MethodRecord
from evolve.islands.islands import Island
from evolve.islands.migration import Route
from evolve.screening.canonical import sketch_distance
from evolve.selection.bandit import Arm, Bandit
from evolve.selection.choice import Choice, Proposer, Reward
from evolve.selection.directions import Ballot, Directions
from evolve.selection.novelty import RECENT, Features, Recent, features, looks
from evolve.selection.parents import GREEDY_SHARE, Draw, FirstParent, ParentPool, curiosity_bonus, draw_by_rank, draw_evenly
from evolve.selection.repairs import RepairQueue
from evolve.selection.strategies import STRATEGIES, Strategy
from fitness.nouns import Direction

CANDIDATES = 16  # prompts drawn before the one with the most value plus novelty is chosen
INSPIRATIONS = 2  # in a brief
Donors = tuple[Sequence[str], Draw]  # methods, and how they are drawn
PAIRS = 1 << 14  # distances between methods that are remembered


class Selector:
    """Chooses prompts from the state of the islands.

    On resume its state is rebuilt by repeating `used`, `learn`, `failed`, `child` and `add_direction` in the order in which
    they were called; each takes the same time however many there were.
    """

    def __init__(
        self,
        islands: int,
        sources: Sequence[Proposer],
        directions: Sequence[Direction],
        novelty: float,
        strategy: Strategy = STRATEGIES["map-elites"],
    ) -> None:
        self.islands, self.strategy = islands, strategy
        self.elites = [Island() for _ in range(islands)]
        self.sketches: dict[str, tuple[int, ...]] = {}
        self.visits: Counter[Hashable] = Counter()  # of methods that look alike
        self.curiosity: defaultdict[tuple[int, int], float] = defaultdict(float)  # of an island's cell
        self._recent = Recent(len(directions), novelty)
        self._waiting: deque[Choice] = deque(maxlen=RECENT)  # used since novelty was last asked about
        self.bandit = Bandit()
        self._seeds: list[str] = []  # from the least fit to the fittest
        self._fitness: dict[str, float] = {}  # of the seeds
        self.last = ""  # the newest child that was judged OK
        self._newest = 0
        self._sources = tuple(s for s in sources if not strategy.operators or s.operator in strategy.operators)
        self._subjects = {source.operator: source.subject for source in sources}
        self._directions = Directions(islands, directions)
        self._born: dict[str, str] = {}  # the direction that an elite was made for
        self._repairs = RepairQueue(islands)
        self._distance = lru_cache(PAIRS)(self._measured)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Every direction of the run, also those that retired."""
        return self._directions.all

    @property
    def recent(self) -> Recent:
        """The recent prompts and children. A resume repeats thousands of prompts, of which these few count."""
        while self._waiting:
            self._recent.add(prompt_features(self._waiting.popleft(), self.sketches))
        return self._recent

    # what happened

    def place(self, elite: Elite) -> None:
        """Mirror a placement of the archive."""
        self.elites[elite.island].place(elite)

    def add_seed(self, method: str, fitness: float) -> None:
        """Remember a seed that was judged."""
        self._fitness[method] = fitness
        self._seeds = sorted(self._fitness, key=lambda seed: (self._fitness[seed], seed))

    def judged(self, method: str, proposal: int) -> None:
        """Remember a child that was judged OK; the one of the newest proposal is the last."""
        if proposal > self._newest:
            self._newest, self.last = proposal, method

    def used(self, choice: Choice) -> None:
        """Remember a prompt that was used."""
        self._repairs.used(choice)
        if self._makes_direction(choice):
            self._directions.varied(choice.direction.name, choice.island)
        else:
            self._waiting.append(choice)
            self.visits[self._looks(choice.parents[0])] += 1

    def learn(self, choice: Choice, reward: Reward) -> None:
        """Give a direction and an arm credit for what came of a proposal of theirs, or did not."""
        arm, judged = Arm(choice.island, choice.model, choice.operator), not self._makes_direction(choice)
        self.bandit.learn(arm, reward.placed, reward.gain, reward.usage, judged=judged)
        if judged:
            self._directions.learn(choice.direction.name, choice.island, reward.placed)
            if choice.cell is not None:
                self.curiosity[choice.island, choice.cell] += 1.0 if reward.placed else -0.5
        if reward.placed and reward.method:
            self._born[reward.method] = choice.direction.name

    def failed(self, choice: Choice, proposal: int) -> None:
        """Remember a child that failed and has a source, so that a model can repair it once."""
        self._repairs.failed(choice, proposal)

    def child(self, method: MethodRecord) -> None:
        """Remember a child that passed the screen: how it looks, also for the diversity of children."""
        self.sketches[method.id] = method.sketch
        self._recent.child(method.sketch)

    def add_direction(self, direction: Direction, island: int) -> None:
        """Let a new direction live on an island; the worst one there retires when there are too many."""
        self._directions.add(direction, island)

    def retire(self, model: str) -> None:
        """Ask a model no more in this session."""
        self._sources = tuple(source for source in self._sources if source.model != model)

    # the choice

    def choose(self, number: int, needs_model: bool | None, rng: random.Random) -> Choice:
        """Choose a prompt for proposal `number`: of several drawn, the one with the most value plus weighted novelty.

        `needs_model` restricts the operators to those that call a model, or to those that do not. A direction that is owed an
        offspring comes first; a failure is repaired when the bandit draws an operator for that, which it may only now and then.
        """
        island = number % self.islands
        fitting = [s for s in self._sources if needs_model is None or bool(s.model) == needs_model]
        if self.strategy.even:
            return self._evenly(island, [s for s in fitting or self._sources if s.subject == "parents"], rng)
        owed, varying = self._directions.owed(island), [s for s in fitting if s.subject == "direction"]
        if owed is not None and varying:
            return self._vary(island, self._source(island, varying, rng), owed)
        breeding = [s for s in fitting if s.subject == "parents"] or [s for s in self._sources if s.subject == "parents"]
        broken = self._repairs.newest(island)
        mending = [s for s in fitting if s.subject == "failure"] if broken else []
        first = self._source(island, [*breeding, *mending], rng)
        if broken and first in mending:
            return self._fix(first, *broken)
        first_parent, ballot = self._first_parent(island, rng), self._directions.ballot(island, self.recent.rarity)
        sources = [first, *self._sources_of(island, breeding, CANDIDATES - 1, rng)]
        drawn = [self._draw(island, source, first_parent, ballot, rng) for source in sources]
        weight, novelties = self.recent.weight, [self._novelty(choice) for choice in drawn]
        worth = [choice.value + weight * novelty for choice, novelty in zip(drawn, novelties)]
        best = drawn[worth.index(max(worth))]
        donors = ((self._company(island), draw_by_rank), (self._seeds, draw_evenly))
        inspired = replace(best, inspirations=self._inspire(best.parents, donors, rng))
        return replace(inspired, novelty=self._novelty(inspired))

    def _source(self, island: int, sources: Sequence[Proposer], rng: random.Random) -> Proposer:
        return self._sources_of(island, sources, 1, rng)[0]

    def _sources_of(self, island: int, sources: Sequence[Proposer], times: int, rng: random.Random) -> list[Proposer]:
        arms = [Arm(island, s.model, s.operator) for s in sources]
        return [sources[drawn] for drawn in self.bandit.draw(arms, times, rng)]

    def _draw(self, island: int, source: Proposer, first_parent: FirstParent, ballot: Ballot, rng: random.Random) -> Choice:
        parent, cell, worth = first_parent
        direction, standing = ballot.draw(rng)
        value = (worth + standing) / 2
        parents = (parent, *draw_by_rank(self._company(island), source.parents - 1, (parent,), rng))
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
        ranked = self.elites[island].ranked
        own = [elite for elite in ranked if self._born.get(elite.method) == direction.name]
        best = (own or ranked)[-1].method
        choice = Choice(island, source.operator, source.model, direction, (best,), (), 1.0, 0.0)
        return replace(choice, novelty=self._novelty(choice))

    def _fix(self, source: Proposer, proposal: int, broken: Choice) -> Choice:
        """Ask for the repair of a failed child of some parents."""
        named = replace(broken, operator=source.operator, model=source.model, inspirations=(), value=1.0, fixes=proposal)
        return replace(named, novelty=self._novelty(named))

    def _novelty(self, choice: Choice) -> float:
        return self.recent.novelty(prompt_features(choice, self.sketches))

    def _makes_direction(self, choice: Choice) -> bool:
        return self._subjects.get(choice.operator) == "direction"

    def _first_parent(self, island: int, rng: random.Random) -> FirstParent:
        """Draw the first parent: of a population the fittest every other time, so that a good find is followed up."""
        pool = self._parent_pool(island)
        greedy = self.strategy.parents == "population" and rng.random() < GREEDY_SHARE
        return pool.fittest() if greedy else pool.draw(rng)

    def _parent_pool(self, island: int) -> ParentPool:
        """Return who may be a first parent."""
        match self.strategy.parents:
            case "seeds":
                return ParentPool(len(self._seeds), lambda place: (self._seeds[place], None), self._appeal)
            case "best seed":
                return ParentPool(1, lambda _: (self._seeds[-1], None), self._appeal)
            case "last" if self.last:
                return ParentPool(1, lambda _: (self.last, None), self._appeal)
        ranked, gridded = self.elites[island].ranked, self.strategy.pool is None

        def at(place: int) -> tuple[str, int | None]:
            return ranked[place].method, ranked[place].cell if gridded else None

        return ParentPool(len(ranked), at, lambda method, cell: self._appeal(method, cell, island))

    def _appeal(self, method: str, cell: int | None, island: int = 0) -> float:
        """Return log2 of how much likelier a method is drawn for its visits (at most 0) and its cell's curiosity."""
        rarity = math.log2(self.recent.rarity(self.visits[self._looks(method)]))
        return rarity if cell is None else rarity + curiosity_bonus(self.curiosity.get((island, cell), 0.0))

    def _company(self, island: int) -> Sequence[str]:
        """Return who may be another parent, or an inspiration: the island's methods; the seeds where only one is kept."""
        return self._seeds if self.strategy.pool == 1 else self.elites[island].methods

    def _looks(self, method: str) -> Hashable:
        """Return what methods share that differ in constants only."""
        return self.sketches.get(method, method)

    def _inspire(self, parents: tuple[str, ...], donors: Iterable[Donors], rng: random.Random) -> tuple[str, ...]:
        """Return a method of each group of donors that is unlike the parents: the farthest of a few drawn."""
        chosen: tuple[str, ...] = ()
        for methods, draw in donors:
            sample = draw(methods, 3, (*parents, *chosen), rng)
            if sample:
                chosen += (max(sample, key=lambda m: min(self._distance(m, p) for p in (*parents, *chosen))),)
        return chosen

    def _measured(self, a: str, b: str) -> float:
        if a not in self.sketches or b not in self.sketches:
            return 1.0
        return sketch_distance(self.sketches[a], self.sketches[b])

    # migration and reset

    def migrants(self, routes: Iterable[Route]) -> list[tuple[int, Elite]]:
        """Return (target island, elite): the best elite of each route's first island goes to its second."""
        return [(target, self.elites[source].ranked[-1]) for source, target in routes if self.elites[source]]

    def worst(self) -> list[int]:
        """Return the islands to reset: the half whose best elite is least fit (the smaller half when odd)."""
        order = sorted(
            range(self.islands), key=lambda i: self.elites[i].ranked[-1].fitness if self.elites[i] else float("-inf")
        )
        return order[: self.islands // 2]

    def founder(self, target: int, resetting: Sequence[int], rng: random.Random) -> Elite | None:
        """Return the elite that a cleared island starts from: the best of a surviving island, drawn at random."""
        surviving = [i for i in range(self.islands) if i not in resetting and i != target and self.elites[i]]
        return self.elites[rng.choice(surviving)].ranked[-1] if surviving else None


def prompt_features(choice: Choice, sketches: Mapping[str, tuple[int, ...]]) -> Features:
    """Return a prompt's place in the feature space of novelty, given the sketches of methods."""
    made = features(choice.direction.name, choice.operator, choice.model, choice.parents, choice.inspirations)
    return made.union(*(looks(sketches[parent]) for parent in choice.parents if parent in sketches))
