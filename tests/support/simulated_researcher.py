"""A simulated researcher: answers the program's own requests, and whose next move depends on what they tell. It is no language
model, and stands for none: it measures what the feedback is worth to someone who makes good use of it.

One policy under every disclosure. It keeps nothing between requests and never sees the truth: what a request does not say, it
does not know. Its belief is a linear model of steps, constants and pairs of steps in each domain with a Gaussian prior: steps
may help or hurt, neighbouring constants are alike, domains are somewhat alike. It draws one world from what it believes after
reading, closer to its mean than its doubt is wide, and takes the move that is best there (Thompson 1933). How close was chosen
on other worlds, with cards. It reads sentences as follows:

- "PGR 0.50 [0.40, 0.60] on 10 instances": the value, with an error of a quarter of the interval; where there is none, one
  instance's standard deviation over the root of their number;
- "PGR about 0.35, the best of its time": the value, to RUNG;
- "not shown to be better than the best before it, which had PGR about 0.90": at most .90, and perhaps far less. That is what it
  means. With `literal=True` it is read as every language model read it that was given it in earlier words: the value is .90;
- any other method without a value, stopped, not placed or placed: over the domains no better than the record.

Comparisons with a parent, error shares, behaviour and directions are not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from scipy.special import log_ndtr

from archives.nouns import Usage
from evolve.nouns import Reply
from tests.support.simulated_reading import Score, Seen, seen
from tests.support.simulated_world import CONSTANTS, DOMAINS, NAMES, Recipe, neighbours, source, written

STEP, LEVEL, PAIR, BASE = 0.10, 0.15, 0.06, 0.10  # prior standard deviations
ALIKE = 0.5  # prior correlation of what something does in the two domains
INSTANCE = 0.2  # standard deviation of a method's PGR over instances
RUNG = 0.06  # how exact the Ladder's PGR is
LEAST = 0.03  # no score is believed to be more exact
ROUNDING = 1e-9  # variance that keeps a covariance one
UNITS = 3.3  # standard errors in the width of a 90 % interval
WILD = 0.25  # of the spread of its belief that a draw has: it goes by what it read more than by what it does not know
DOUBLES = 80  # moves of two changes that are thought of beside all those of one
NAME = "simulated:researcher"


def features(recipe: Recipe) -> np.ndarray:
    """Return what a recipe is to the researcher, in units of the prior: steps taken, their constants, pairs of steps."""
    levels, on = len(CONSTANTS), np.array(recipe) > 0
    constants = np.zeros((len(NAMES), levels))
    for step, level in enumerate(recipe):
        if level:
            constants[step] = _SMOOTH[level - 1]
    pairs = np.outer(on, on)[np.triu_indices(len(NAMES), 1)]
    return np.concatenate([[BASE], STEP * on, LEVEL * constants.ravel(), PAIR * pairs])


_places = np.arange(len(CONSTANTS))
_SMOOTH = np.linalg.cholesky(np.exp(-((_places[:, None] - _places) ** 2) / 2) + 1e-9 * np.eye(len(CONSTANTS)))


class Belief:
    """What is believed of the weights of the features in each domain: a Gaussian."""

    def __init__(self) -> None:
        size = len(features((0,) * len(NAMES)))
        self._mean = np.zeros(len(DOMAINS) * size)
        alike = np.full((len(DOMAINS), len(DOMAINS)), ALIKE) + (1 - ALIKE) * np.eye(len(DOMAINS))
        self._cov = np.kron(alike, np.eye(size))

    def value(self, what: np.ndarray, value: float, error: float) -> None:
        """Learn that a combination of weights has a value, with a standard error."""
        mean, var = self._of(what)
        share = var / (var + error**2)
        self._move(what, mean + share * (value - mean), var * (1 - share))

    def at_most(self, what: np.ndarray, bound: float, error: float) -> None:
        """Learn that it is at most that: the Gaussian with the moments of the truncated one."""
        mean, var = self._of(what)
        spread = np.sqrt(var + error**2)
        z = (bound - mean) / spread
        hazard = float(np.exp(-0.5 * z**2 - log_ndtr(z)) / np.sqrt(2 * np.pi))
        self._move(what, mean - var / spread * hazard, var * (1 - var / spread**2 * hazard * (z + hazard)))

    def expected(self, recipe: Recipe) -> np.ndarray:
        """Return the PGR that is expected of a recipe in each domain."""
        return self._mean.reshape(len(DOMAINS), -1) @ features(recipe)

    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        """Draw weights, one row a domain."""
        root = np.linalg.cholesky(self._cov + ROUNDING * np.eye(len(self._mean)))
        return (self._mean + WILD * root @ rng.normal(size=len(self._mean))).reshape(len(DOMAINS), -1)

    def _of(self, what: np.ndarray) -> tuple[float, float]:
        return float(what @ self._mean), max(float(what @ self._cov @ what), 1e-9)

    def _move(self, what: np.ndarray, mean: float, var: float) -> None:
        was, before = self._of(what)
        gain = self._cov @ what / before
        self._mean = self._mean + gain * (mean - was)
        self._cov = self._cov + np.outer(gain, gain) * (max(var, 1e-9) - before)


def believed(methods: Sequence[Seen], literal: bool = False) -> Belief:
    """Return what a researcher believes who has read of these methods, and of nothing else."""
    belief = Belief()
    record = next((features(one.recipe) for one in methods if one.record), None)
    for one in methods:
        known = features(one.recipe)
        for score in one.scores:
            what = _in(known, score.domain)
            if score.at_most and not literal:
                belief.at_most(what, score.value, RUNG)
            else:
                belief.value(what, score.value, _error(score))
        if record is not None and not one.record and all(score.at_most for score in one.scores):
            belief.at_most(np.tile((known - record) / len(DOMAINS), len(DOMAINS)), 0.0, LEAST)
    return belief


def _in(known: np.ndarray, domain: int) -> np.ndarray:
    return np.concatenate([known * (place == domain) for place in range(len(DOMAINS))])


def _error(score: Score) -> float:
    if score.interval:
        return max(LEAST, (score.interval[1] - score.interval[0]) / UNITS)
    return max(LEAST, INSTANCE / np.sqrt(score.instances)) if score.instances else RUNG


class Researcher:
    """A model of the program's protocol that answers as the researcher does; the same seed and requests, the same answers."""

    name = NAME

    def __init__(self, seed: int, literal: bool = False) -> None:
        self._rng, self._literal = np.random.default_rng([seed, 7]), literal

    def ask(self, system: str, prompt: str) -> Reply:
        """Answer a request with a whole file."""
        methods = self._read(prompt)
        parents = [one.recipe for one in methods if one.parent]
        moves = [move for move in self._moves(parents) if move not in {one.recipe for one in methods}]
        weights = believed(methods, self._literal).drawn(self._rng)
        worth = [float((weights @ features(move)).mean()) for move in moves]
        chosen = moves[int(np.argmax(worth))]
        text = f"IDEA: take {written(chosen)}\n\n```python\n{source(chosen)}```\n"
        return Reply(text, self._cost(prompt, text))

    def _read(self, prompt: str) -> list[Seen]:
        return seen(prompt)

    def worst_case(self, system: str, prompt: str) -> Usage:
        """Return a cost in tokens, and no dollars."""
        return self._cost(prompt, " " * 2_000)

    def _moves(self, parents: Sequence[Recipe]) -> list[Recipe]:
        """Return what it thinks of: of one parent one or two changes, of two any mixture, and changes of the first."""
        first = parents[0]
        singles = neighbours(first)
        if len(parents) > 1:
            takes = self._rng.integers(0, len(parents), (DOUBLES, len(first)))
            return [*dict.fromkeys(tuple(parents[p][step] for step, p in enumerate(row)) for row in takes), *singles]
        pairs = (singles[i] for i in self._rng.integers(0, len(singles), DOUBLES))
        doubles = [neighbours(one)[int(self._rng.integers(len(singles)))] for one in pairs]
        return [*singles, *doubles]

    def _cost(self, prompt: str, text: str) -> Usage:
        return Usage(self.name, 1, len(prompt) // 4, len(text) // 4, 0.0, 0.0)


class Misled(Researcher):
    """The same researcher, whose requests hold scores that were drawn at random: what it can do without feedback."""

    def _read(self, prompt: str) -> list[Seen]:
        return seen(re.sub(r"PGR -?\d[\d.]*( \[[-\d., ]+\])?", lambda _: f"PGR {self._rng.uniform(-0.5, 1):.2f}", prompt))
