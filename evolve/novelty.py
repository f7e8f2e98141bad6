"""Novelty: how far a prompt is from the recent prompts, and how much that should count now (Lehman & Stanley 2011)."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable

RECENT = 60  # prompts remembered
NEAREST = 5  # the k of k nearest neighbours
_WEIGHTS = {"direction": 3.0, "operator": 1.0, "parent": 2.0, "inspiration": 0.5, "model": 0.5}

Features = frozenset[tuple[str, str]]


def features(direction: str, operator: str, model: str, parents: Iterable[str], inspirations: Iterable[str]) -> Features:
    """Return a prompt's place in the fixed feature space: what it is about and what it is made of."""
    one = {("direction", direction), ("operator", operator), ("model", model)}
    return frozenset(one | {("parent", p) for p in parents} | {("inspiration", i) for i in inspirations})


def distance(a: Features, b: Features) -> float:
    """Return the weighted Jaccard distance of two prompts, in [0, 1]."""
    shared, all_ = (sum(_WEIGHTS[kind] for kind, _ in s) for s in (a & b, a | b))
    return 1.0 - shared / all_ if all_ else 0.0


def entropy(names: Iterable[str]) -> float:
    """Return the Shannon entropy of names, in bits."""
    counts = Counter(names)
    total = sum(counts.values())
    return -sum(n / total * math.log2(n / total) for n in counts.values()) if total else 0.0


class Recent:
    """The recent prompts, and the weight that novelty has against value."""

    def __init__(self, directions: int, weight: float) -> None:
        self._prompts: deque[Features] = deque(maxlen=RECENT)
        self._full = math.log2(max(directions, 2))
        self._weight = weight

    def add(self, prompt: Features) -> None:
        """Remember a prompt that was used."""
        self._prompts.append(prompt)

    def novelty(self, prompt: Features) -> float:
        """Return the mean distance to the k nearest recent prompts, 1 when there is none."""
        if not self._prompts:
            return 1.0
        nearest = sorted(distance(prompt, other) for other in self._prompts)[:NEAREST]
        return sum(nearest) / len(nearest)

    @property
    def entropy(self) -> float:
        """The entropy of the recent directions, in bits."""
        return entropy(value for prompt in self._prompts for kind, value in prompt if kind == "direction")

    @property
    def weight(self) -> float:
        """The weight of novelty now: it doubles as the recent directions collapse onto one."""
        if len(self._prompts) < NEAREST:
            return self._weight
        return self._weight * (2.0 - min(1.0, self.entropy / min(self._full, math.log2(len(self._prompts)))))
