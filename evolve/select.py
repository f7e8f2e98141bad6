"""Selection: which island, which parents, operator, direction and inspirations; migration and reset.

Islands follow FunSearch (Romera-Paredes et al. 2024): populations that evolve apart, whose worst half is now and then cleared
and started again from the elites of the others. Within an island parents come from the MAP-Elites grid (Mouret & Clune 2015).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from archives.nouns import Elite, MethodRecord, Usage
from evolve.canonical import sketch_distance
from evolve.nouns import Direction, Subject
from evolve.novelty import Features, Recent, features

CANDIDATES = 8  # prompts drawn before the one with the most value plus novelty is chosen
INSPIRATIONS = 2
PRESSURE = 4.0  # how much likelier the fittest elite is drawn than the least fit, as exp of the rank difference


@dataclass(frozen=True)
class Source:
    """What selection needs to know of an operator: its name, how many parents, its model ("" for none), what it works on."""

    operator: str
    parents: int
    model: str
    subject: Subject = "parents"


@dataclass(frozen=True)
class Choice:
    """One prompt: what is asked of whom, about which methods; `fixes` is the failed proposal to be mended, if any."""

    island: int
    operator: str
    model: str
    direction: Direction
    parents: tuple[str, ...]
    inspirations: tuple[str, ...]
    value: float
    novelty: float
    fixes: int | None = None


@dataclass(frozen=True)
class Lesson:
    """What came of a proposal.

    Attributes:
        placed: whether the child became an elite.
        gain: its fitness above that of its first parent, 0 unless it was placed and is fitter.
        usage: what its model calls cost.
    """

    placed: bool
    gain: float
    usage: Usage


@dataclass
class Credit:
    """How often something was tried and a placed elite came of it; its value is the posterior mean under Beta(1, 2)."""

    tried: Counter[str] = field(default_factory=Counter)
    placed: Counter[str] = field(default_factory=Counter)

    def value(self, name: str) -> float:
        """Return the expected share of tries that are placed."""
        return (self.placed[name] + 1) / (self.tried[name] + 3)


class Selector:
    """Chooses prompts from the state of the islands; its own state is rebuilt from the archive on resume."""

    def __init__(self, islands: int, sources: Sequence[Source], directions: Sequence[Direction], novelty: float) -> None:
        self.islands = islands
        self._sources, self.directions = tuple(sources), tuple(directions)
        self.elites: list[dict[int, Elite]] = [{} for _ in range(islands)]
        self.sketches: dict[str, tuple[int, ...]] = {}
        self.visits: Counter[str] = Counter()
        self.credit = Credit()
        self.recent = Recent(len(directions), novelty)

    def place(self, elite: Elite) -> None:
        """Mirror a placement of the archive."""
        self.elites[elite.island][elite.cell] = elite

    def used(self, choice: Choice) -> None:
        """Remember a prompt that was used."""
        self.recent.add(prompt_features(choice))
        self.recall(choice.direction.name, choice.operator, choice.parents[0], 1, 0)

    def recall(self, direction: str, operator: str, parent: str, tried: int, placed: int) -> None:
        """Count tries, and the placed elites that came of them."""
        self.visits[parent] += tried
        for name in (direction, operator):
            self.credit.tried[name] += tried
            self.credit.placed[name] += placed

    def learn(self, choice: Choice, lesson: Lesson) -> None:
        """Give a direction, an operator and a model credit for what came of a proposal of theirs, or did not."""
        for name in (choice.direction.name, choice.operator):
            self.credit.placed[name] += lesson.placed

    def child(self, method: MethodRecord) -> None:
        """Take note of a child that passed the screen."""
        self.sketches[method.id] = method.sketch

    def add_direction(self, direction: Direction, island: int) -> None:
        """Take a new direction in on an island."""

    def retire(self, model: str) -> None:
        """Ask a model no more in this session."""
        self._sources = tuple(source for source in self._sources if source.model != model)

    def failed(self, choice: Choice, proposal: int) -> None:
        """Remember a child that failed and has a source, so that it can be mended once."""

    def choose(self, number: int, needs_model: bool | None, rng: random.Random) -> Choice:
        """Choose a prompt for proposal `number`: of several drawn, the one with the most value plus weighted novelty.

        `needs_model` restricts the operators to those that call a model, or to those that do not.
        """
        island = number % self.islands
        fitting = [s for s in self._sources if needs_model is None or bool(s.model) == needs_model]
        drawn = [self._draw(island, fitting, rng) for _ in range(CANDIDATES)]
        weight = self.recent.weight
        return max(drawn, key=lambda c: c.value + weight * c.novelty)

    def _draw(self, island: int, sources: Sequence[Source], rng: random.Random) -> Choice:
        ranked = sorted(self.elites[island].values(), key=lambda e: e.fitness)
        weights = [
            2.0 ** (PRESSURE * i / max(1, len(ranked) - 1)) / (1 + self.visits[e.method]) ** 0.5 for i, e in enumerate(ranked)
        ]
        first = rng.choices(range(len(ranked)), weights)[0]
        source = rng.choices(sources, [self.credit.value(s.operator) for s in sources])[0]
        direction = rng.choice(self._home(island))
        parent = ranked[first].method
        others = self._others(parent, island)
        parents = (parent, *rng.sample(others, min(source.parents - 1, len(others))))
        inspirations = self._inspire(parents, others, rng)
        prompt = features(direction.name, source.operator, source.model, parents, inspirations)
        value = first / max(1, len(ranked) - 1) + self.credit.value(direction.name) + self.credit.value(source.operator)
        return Choice(
            island, source.operator, source.model, direction, parents, inspirations, value / 3, self.recent.novelty(prompt)
        )

    def _home(self, island: int) -> Sequence[Direction]:
        """Return the directions of an island: every island holds a part of them, so that islands do not think alike."""
        held = [d for i, d in enumerate(self.directions) if i % self.islands == island]
        return held or self.directions

    def _others(self, parent: str, island: int) -> list[str]:
        """Return who could be crossed with a parent: this island's other elites, once each, in cell order."""
        methods = dict.fromkeys(e.method for _, e in sorted(self.elites[island].items()))
        return [m for m in methods if m != parent]

    def _inspire(self, parents: Sequence[str], others: Sequence[str], rng: random.Random) -> tuple[str, ...]:
        """Return methods of other cells that are unlike the parents: the farthest of a few drawn."""
        rest = [m for m in others if m not in parents]
        chosen: list[str] = []
        while rest and len(chosen) < INSPIRATIONS:
            sample = rng.sample(rest, min(3, len(rest)))
            best = max(sample, key=lambda m: min(self._distance(m, p) for p in (*parents, *chosen)))
            chosen.append(best)
            rest.remove(best)
        return tuple(chosen)

    def _distance(self, a: str, b: str) -> float:
        if a not in self.sketches or b not in self.sketches:
            return 1.0
        return sketch_distance(self.sketches[a], self.sketches[b])

    # migration and reset

    def migrants(self) -> list[tuple[int, Elite]]:
        """Return (target island, elite): the best elite of every island goes to the next one, in a ring."""
        moves = []
        for island, elites in enumerate(self.elites):
            if elites and self.islands > 1:
                moves.append(((island + 1) % self.islands, _best(elites)))
        return moves

    def worst(self) -> list[int]:
        """Return the islands to reset: the half whose best elite is least fit (the smaller half when odd)."""
        order = sorted(range(self.islands), key=lambda i: _best(self.elites[i]).fitness if self.elites[i] else float("-inf"))
        return order[: self.islands // 2]

    def founder(self, target: int, resetting: Sequence[int], rng: random.Random) -> Elite | None:
        """Return the elite that a cleared island starts from: the best of a surviving island, drawn at random."""
        surviving = [i for i in range(self.islands) if i not in resetting and i != target and self.elites[i]]
        return _best(self.elites[rng.choice(surviving)]) if surviving else None


def prompt_features(choice: Choice) -> Features:
    """Return a prompt's place in the feature space of novelty."""
    return features(choice.direction.name, choice.operator, choice.model, choice.parents, choice.inspirations)


def _best(elites: Mapping[int, Elite]) -> Elite:
    return max(elites.values(), key=lambda e: (e.fitness, e.method))
