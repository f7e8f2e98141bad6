"""Chooses an arm (island, model, operator) by the bandit: the one that gains the most for what it costs.

Thompson sampling for bandits whose pulls have a price (Xia, Li, Qin, Yu and Liu 2015, "Thompson sampling for budgeted
multi-armed bandits"): draw each arm's gain from its posterior, divide it by the arm's cost, take the largest. Gains are taken
to be Gaussian with one spread for all arms, and an arm that was tried little leans on the mean of its model and operator over
all islands, which leans on the mean over everything (an empirical-Bayes hierarchy; Gelman et al. 2013, chapter 5).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archives.nouns import Usage

PRIOR_STRENGTH = 4.0  # tries that a prior counts for
SPREAD = 0.05  # of gains, in PGR, before any is known
LEAST_SPREAD = 0.005  # of gains, in PGR, however alike those known are
# What judging a child costs, in mean model calls: it keeps arms that call no model from being infinitely good.
EVALUATION = 0.25


class Arm(NamedTuple):
    """Who makes a child, and where; `model` is "" for an operator that needs none."""

    island: int
    model: str
    operator: str


@dataclass
class Sums:
    """What came of some tries, and what they cost.

    Attributes:
        gain: sum of the children's gains; `squares`: of the gains squared.
        calls, tokens, usd: of the model calls; `unpriced`: tries with calls of which the price is not known.
    """

    tried: int = 0
    placed: int = 0
    gain: float = 0.0
    squares: float = 0.0
    calls: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0

    def add(self, placed: bool, gain: float, usage: Usage) -> None:
        """Count one try."""
        self.tried += 1
        self.placed += placed
        self.gain += gain
        self.squares += gain * gain
        self.calls += usage.calls
        self.tokens += usage.tokens_in + usage.tokens_out
        self.usd += usage.usd or 0.0
        self.unpriced += usage.calls > 0 and usage.usd is None

    @property
    def price(self) -> float | None:
        """The dollars spent, None when the price of a call is not known."""
        return None if self.unpriced else self.usd

    def mean(self, prior: float) -> float:
        """Return the mean gain of a try, leaning on a prior."""
        return (PRIOR_STRENGTH * prior + self.gain) / (PRIOR_STRENGTH + self.tried)


class Bandit:
    """The sums of every arm, and the draw among them; adding a try takes the same time however many there were."""

    def __init__(self) -> None:
        self.arms: dict[Arm, Sums] = {}
        self._pairs: dict[tuple[str, str], Sums] = {}
        self._paid = Sums()  # tries of arms that call a model
        self._all = Sums()

    def learn(self, arm: Arm, placed: bool, gain: float, usage: Usage, judged: bool = True) -> None:
        """Count what came of a try; one that makes no method (`judged` is False) says nothing of how good others are."""
        self.arms.setdefault(arm, Sums()).add(placed, gain, usage)
        if not judged:
            return
        self._pairs.setdefault((arm.model, arm.operator), Sums()).add(placed, gain, usage)
        self._all.add(placed, gain, usage)
        if arm.model:
            self._paid.add(placed, gain, usage)

    def credit(self, arm: Arm, gain: float, more: float) -> None:
        """Count what tuning a child gained beyond its own gain, for the arm that wrote the child: it is no try of its own."""
        everywhere, paid = self._pairs.get((arm.model, arm.operator), _NONE), self._paid if arm.model else _NONE
        for sums in (self.arms.get(arm, _NONE), everywhere, paid, self._all):
            if sums is not _NONE:
                sums.gain += more
                sums.squares += (gain + more) ** 2 - gain**2

    def draw(self, arms: Sequence[Arm], times: int, rng: random.Random) -> list[int]:
        """Return the indices of the arms to try, so many draws: each time the one with the largest draw of gain per cost."""
        known = [(self.gain(arm), self._deviation(arm), self.cost(arm)) for arm in arms]
        found = []
        for _ in range(times):
            drawn = [rng.gauss(gain, deviation) for gain, deviation, _ in known]
            worth = [(max(gain, 0.0) / cost, gain) for gain, (_, _, cost) in zip(drawn, known)]
            found.append(max(range(len(arms)), key=worth.__getitem__))
        return found

    def gain(self, arm: Arm) -> float:
        """Return the posterior mean of an arm's gain."""
        everywhere = self._pairs.get((arm.model, arm.operator), _NONE).mean(self._all.mean(0.0))
        return self.arms.get(arm, _NONE).mean(everywhere)

    def cost(self, arm: Arm) -> float:
        """Return what a try of an arm costs, in mean model calls: its evaluation, and its own calls when it makes any.

        In dollars where all prices are known and not all nil, else in tokens; the mean of a model and operator over all
        islands, for a price does not depend on the island. What was never tried costs the mean.
        """
        if not arm.model:
            return EVALUATION
        mean = self._price(self._paid, 0.0, 0.0)
        if mean <= 0:
            return EVALUATION + 1.0
        everywhere = self._price(self._pairs.get((arm.model, arm.operator), _NONE), 1.0, mean)
        return EVALUATION + everywhere / mean

    def _price(self, sums: Sums, lean: float, prior: float) -> float:
        """Return the mean price of a try."""
        in_usd = self._paid.usd > 0 and not self._paid.unpriced
        total = sums.usd if in_usd else sums.tokens
        tries = lean + sums.tried
        return (lean * prior + total) / tries if tries else 0.0

    def _deviation(self, arm: Arm) -> float:
        """Return the posterior standard deviation of an arm's mean gain: the common spread over the root of its tries."""
        prior = PRIOR_STRENGTH * SPREAD**2
        mean = self._all.mean(0.0)
        variance = (prior + max(0.0, self._all.squares - self._all.tried * mean**2)) / (PRIOR_STRENGTH + self._all.tried)
        return max(LEAST_SPREAD, math.sqrt(variance)) / math.sqrt(PRIOR_STRENGTH + self.arms.get(arm, _NONE).tried)


_NONE = Sums()
