"""Measures how far a prompt is from the recent prompts, and how much that should count now (Lehman & Stanley 2011)."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Hashable, Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archives.nouns import MethodRecord
from evolve.screening.canonical import sketch_distance
from evolve.selection.choice import Choice

RECENT = 60  # prompts remembered
NEAREST = 5  # the k of k nearest neighbours (Lehman & Stanley 2011)
CHILDREN = 20  # screened children whose diversity is watched
DIVERSE = 0.5  # mean sketch distance of children that are diverse enough; that of the human baselines is .62
PAIRS = 1 << 14  # distances between methods that are remembered
MOST = 4.0  # how much more novelty may count as they collapse
BANDS = 8  # numbers of a parent's sketch that are features: parents that look alike share most of them
_WEIGHTS = {"direction": 3.0, "operator": 1.0, "parent": 0.5, "looks": 0.25, "inspiration": 0.5, "model": 0.5}  # exact sums

Feature = tuple[str, str | int]
Features = frozenset[Feature]


def features(direction: str, operator: str, model: str, parents: Iterable[str], inspirations: Iterable[str]) -> Features:
    """Return a prompt's place in the fixed feature space: what it is about and what it is made of."""
    one: set[Feature] = {("direction", direction), ("operator", operator), ("model", model)}
    return frozenset(one | {("parent", p) for p in parents} | {("inspiration", i) for i in inspirations})


def looks(sketch: tuple[int, ...]) -> Iterable[Feature]:
    """Return how a parent looks, as features: each is shared with the probability that two methods are alike (Broder 1997)."""
    return (("looks", BANDS * value + place) for place, value in enumerate(sketch[:BANDS]))


def distance(a: Features, b: Features) -> float:
    """Return the weighted Jaccard distance of two prompts, in [0, 1]."""
    shared = _size(a & b)
    union = _size(a) + _size(b) - shared
    return 1.0 - shared / union if union else 0.0


def entropy(names: Iterable[str]) -> float:
    """Return the Shannon entropy of names, in bits."""
    counts = Counter(names)
    total = sum(counts.values())
    return -sum(n / total * math.log2(n / total) for n in counts.values()) if total else 0.0


class Recent:
    """The recent prompts and children, and the weight that novelty has against value."""

    def __init__(self, directions: int, weight: float) -> None:
        self._prompts: dict[int, Features] = {}  # by place
        self._directions: deque[str] = deque(maxlen=RECENT)
        self._added = 0
        self._sizes: NDArray[np.float64] = np.zeros(RECENT)  # of the prompts, each at the place that it took of the oldest
        self._having: dict[Feature, NDArray[np.float64]] = {}  # a feature's weight at the places of the prompts that have it
        self._uses: Counter[Feature] = Counter()  # how many of the prompts have it
        self._children: deque[tuple[int, ...]] = deque(maxlen=CHILDREN)
        self._diversity: float | None = None
        self._full = math.log2(max(directions, 2))
        self._weight = weight

    def add(self, prompt: Features) -> None:
        """Remember a prompt that was used; it takes the place of the oldest."""
        place = self._added % RECENT
        self._added += 1
        for feature in self._prompts.get(place, ()):
            self._having[feature][place] = 0.0
            self._uses[feature] -= 1
            if not self._uses[feature]:
                del self._having[feature], self._uses[feature]
        for feature in prompt:
            if feature not in self._having:
                self._having[feature] = np.zeros(RECENT)
            self._having[feature][place] = _WEIGHTS[feature[0]]
            self._uses[feature] += 1
        self._sizes[place] = _size(prompt)
        self._prompts[place] = prompt
        self._directions += [str(value) for kind, value in prompt if kind == "direction"]

    def child(self, sketch: tuple[int, ...]) -> None:
        """Remember a child that passed the screen, by its sketch (see screening/canonical.py)."""
        self._children.append(sketch)
        self._diversity = None

    def novelty(self, prompt: Features) -> float:
        """Return the mean distance to the k nearest recent prompts, 1 when there is none."""
        if not self._prompts:
            return 1.0
        shared = np.zeros(RECENT)
        for feature in prompt & self._having.keys():
            shared += self._having[feature]
        prompts = len(self._prompts)
        alike = shared[:prompts] / (_size(prompt) + self._sizes[:prompts] - shared[:prompts])
        nearest: list[float] = sorted((1.0 - alike).tolist())[:NEAREST]  # numpy's own sort lets other threads in
        return sum(nearest) / len(nearest)

    def rarity(self, uses: int) -> float:
        """Return how much less often something is drawn that had so many uses (as in ShinkaEvolve); 1 without novelty."""
        return (1.0 + uses) ** -0.5 if self._weight else 1.0

    @property
    def entropy(self) -> float:
        """The entropy of the recent directions, in bits."""
        return entropy(self._directions)

    @property
    def diversity(self) -> float:
        """The mean sketch distance of the recent children to each other, in [0, 1]; 1 before there are a few."""
        if len(self._children) < NEAREST:
            return 1.0
        if self._diversity is None:
            self._diversity = _mean_distance(self._children)
        return self._diversity

    @property
    def weight(self) -> float:
        """The weight of novelty now: up to four times as much as the recent directions, or the recent children, collapse."""
        if not self._weight or len(self._prompts) < NEAREST:
            return self._weight
        spread = self.entropy / min(self._full, math.log2(len(self._prompts)))
        return self._weight / max(1 / MOST, min(1.0, spread, self.diversity / DIVERSE))


class Novelty:
    """How far a choice is from the recent ones, and a method from another; it knows the sketch of every method."""

    def __init__(self, directions: int, weight: float) -> None:
        self._recent = Recent(directions, weight)
        self._waiting: deque[Choice] = deque(maxlen=RECENT)  # used since novelty was last asked about
        self._sketches: dict[str, tuple[int, ...]] = {}
        self.distance = lru_cache(PAIRS)(self._distance)

    @property
    def recent(self) -> Recent:
        """The recent prompts and children. A resume repeats thousands of prompts, of which these few count."""
        while self._waiting:
            self._recent.add(self._features(self._waiting.popleft()))
        return self._recent

    def add(self, method: MethodRecord) -> None:
        """Remember how a method looks; one that was bred counts for the diversity of the recent children."""
        self._sketches[method.id] = method.sketch
        if method.origin == "search":
            self._recent.child(method.sketch)

    def used(self, choice: Choice) -> None:
        """Remember a prompt that was used."""
        self._waiting.append(choice)

    def of(self, choice: Choice) -> float:
        """Return the novelty of a prompt."""
        return self.recent.novelty(self._features(choice))

    def looks(self, method: str) -> Hashable:
        """Return what methods share that differ in constants only."""
        return self._sketches.get(method, method)

    def alike(self, a: str, b: str) -> bool:
        """Tell whether two methods differ in constants only."""
        return self.looks(a) == self.looks(b)

    def _features(self, choice: Choice) -> Features:
        made = features(choice.direction.name, choice.operator, choice.model, choice.parents, choice.inspirations)
        return made.union(*(looks(self._sketches[parent]) for parent in choice.parents if parent in self._sketches))

    def _distance(self, a: str, b: str) -> float:
        if a not in self._sketches or b not in self._sketches:
            return 1.0
        return sketch_distance(self._sketches[a], self._sketches[b])


def _size(prompt: Features) -> float:
    return sum([_WEIGHTS[kind] for kind, _ in prompt])


def _mean_distance(sketches: Iterable[tuple[int, ...]]) -> float:
    """Return the mean estimated Jaccard distance of every two sketches."""
    table = np.array(list(sketches), dtype=np.uint64)
    alike = (table[:, None] == table[None]).mean(axis=2)
    pairs = np.triu_indices(len(table), 1)
    return float(1.0 - alike[pairs].mean())
