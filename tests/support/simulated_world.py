"""A simulated world of known truth: a method is a recipe of steps, each with a constant, and what it is worth is a formula.

It stands in for no task in particular. It has what the real searches met: steps that help both domains, steps that help one and
hurt the other, steps that pay only together, and constants that make a good step look bad.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

import numpy as np

from fitness.contracts.contract import Problem
from fitness.nouns import Limits, Outcome, Status
from fitness.tasks.source import Draw
from tests.support.simulated import DOUBT, FINE, INSTANCE_STD, METHOD_STD, STRONG, TEST, TRAIN, WEAK, teach
from tests.support.weak_to_strong import drawn_of

DOMAINS = ("chat", "code_deceptive")
NAMES = (
    "whiten", "relabel", "cluster", "pairwise", "anneal", "smooth", "margin", "project", "balance", "bootstrap", "vote",
    "sharpen", "prune", "distil",
)  # fmt: skip
CONSTANTS = (0.25, 0.5, 1.0, 2.0, 4.0)
LOWEST, HIGHEST = -0.5, 1.04  # of a true PGR; accuracy ends soon above it
BEST = 0.85  # what the best recipe is worth over both domains
BASELINES = 8  # human baselines: no step, then one step each, with some constant
JITTER = 0.03  # standard deviation of what a world adds to the peaks below
HALF = 0.5  # of the teacher's confidence: an instance's luck lies above or below it

# what the step of each role is worth at its best constant, in the two domains; a step with a harmful side is harmful at any
PEAKS = (
    (0.22, 0.18), (0.18, 0.18), (0.28, -0.26), (0.0, 0.25), (-0.12, 0.20), (0.12, -0.05), (0.0, 0.0), (0.0, -0.05),
    (-0.15, -0.12), (-0.08, -0.20), (-0.20, 0.0), (0.06, 0.04), (0.0, 0.05), (-0.03, -0.04),
)  # fmt: skip
# the same where one step nearly solves the second domain and the others do little there, as on chat and code_deceptive: one
# human baseline takes it (ccs has .18 and .97), and no other comes near (lda has .66 and .03)
SPECIALIST = 3
SPECIAL = {0: (0.22, 0.04), 1: (0.18, 0.04), SPECIALIST: (-0.08, 0.75)}
# what two roles add together
TOGETHER = {(0, 6): (0.16, 0.14), (2, 7): (0.0, 0.32), (1, 4): (0.0, -0.12)}
APART = 1  # the role whose best constant is another one in the second domain

Recipe = tuple[int, ...]  # of each step of NAMES: 0 when it is not taken, else 1 + the place of its constant in CONSTANTS
NOTHING: Recipe = (0,) * len(NAMES)
_STEPS = re.compile(r"STEPS = \{(.*)\}")
_STEP = re.compile(r'"(\w+)": ([\d.]+)')


def source(recipe: Recipe) -> str:
    """Return the file of a method."""
    steps = ", ".join(f'"{NAMES[step]}": {CONSTANTS[level - 1]}' for step, level in enumerate(recipe) if level)
    return f"STEPS = {{{steps}}}\n\n\ndef method(problem):\n    return problem.student.take(problem, STEPS)\n"


def recipe_of(text: str) -> Recipe | None:
    """Return the recipe that a file takes, None for a file of something else."""
    found = _STEPS.search(text)
    return recipe((name, float(constant)) for name, constant in _STEP.findall(found[1])) if found else None


def recipe(steps: Iterable[tuple[str, float]]) -> Recipe:
    """Return the recipe of steps and constants, (name, constant) each."""
    levels = {name: 1 + CONSTANTS.index(constant) for name, constant in steps}
    return tuple(levels.get(name, 0) for name in NAMES)


class World:
    """What each recipe is worth in each domain: another formula for every seed.

    Attributes:
        best: what the best recipe is worth over both domains; `best_recipe` is that.
        baselines: the recipes of the human baselines; where there is a specialist, the last one is.
    """

    best = BEST

    def __init__(self, seed: int, specialist: bool = False) -> None:
        self.seed = seed
        rng, steps, levels = np.random.default_rng([seed, 19]), len(NAMES), len(CONSTANTS)
        peaks = [SPECIAL.get(role, peak) if specialist else peak for role, peak in enumerate(PEAKS)]
        place, best = rng.permutation(steps), rng.integers(0, levels, steps)
        self._effects = np.zeros((len(DOMAINS), steps, 1 + levels))
        for role, step in enumerate(place):
            for domain, peak in enumerate(np.add(peaks[role], rng.normal(0, JITTER, 2))):
                shift = domain if role == APART and best[step] + 1 < levels else 0
                self._effects[domain, step, 1:] = _by_constant(float(peak), int(best[step]) + shift)
        self._together = {(int(place[one]), int(place[other])): np.array(added) for (one, other), added in TOGETHER.items()}
        self.best_recipe, scale = self._found_best()
        self._effects *= BEST / scale
        self._together = {pair: added * BEST / scale for pair, added in self._together.items()}
        self._style = rng.random(steps)  # how far a step leaves the teacher behind, whatever that is worth
        first = [(int(step), int(rng.integers(1, 1 + levels))) for step in rng.permutation(steps)[: BASELINES - 1]]
        if specialist:
            special = int(place[SPECIALIST]), int(best[place[SPECIALIST]]) + 1
            first = [*(one for one in first[:-1] if one != special), special]
        self.baselines = [NOTHING, *(tuple(level * (step == i) for i in range(steps)) for step, level in first)]

    def truth(self, recipe: Recipe) -> np.ndarray:
        """Return the true PGR of a recipe in each domain."""
        return np.clip(self._sum(recipe), LOWEST, HIGHEST)

    def _sum(self, recipe: Recipe) -> np.ndarray:
        worth = self._effects[:, range(len(NAMES)), recipe].sum(1)
        return worth + sum(added for (one, other), added in self._together.items() if recipe[one] and recipe[other])

    def style(self, recipe: Recipe) -> float:
        """Return how independent of the teacher a method's errors are: 0 imitates it as far as it can."""
        taken = [self._style[step] for step, level in enumerate(recipe) if level]
        return float(np.mean(taken)) if taken else 0.0

    def _found_best(self) -> tuple[Recipe, float]:
        """Return the best recipe and what it is worth: steps add up, so only those of a pair are looked at together."""
        recipe = [int(level) for level in self._effects.mean(0).argmax(1)]
        levels = range(1 + len(CONSTANTS))
        for pair in self._together:
            choices = [[level if pair.index(i) == 0 else other for i in pair] for level in levels for other in levels]
            worth = []
            for choice in choices:
                for step, level in zip(pair, choice):
                    recipe[step] = level
                worth.append(float(self._sum(tuple(recipe)).mean()))
            for step, level in zip(pair, choices[int(np.argmax(worth))]):
                recipe[step] = level
        return tuple(recipe), float(self._sum(tuple(recipe)).mean())


def _by_constant(peak: float, best: int) -> np.ndarray:
    """Return what a step is worth with each constant: half one place beside the best one, and a loss beyond; harm is harm."""
    distance = np.abs(np.arange(len(CONSTANTS)) - best)
    return peak * np.maximum(1 - 0.5 * distance**2, -1) if peak > 0 else np.full(len(CONSTANTS), peak)


def draw(rng: np.random.Generator, domain: str) -> Draw:
    """Draw an instance; a row's features: the truth, its luck, whether the teacher has it right, ones that tell the domain.

    What the instance lets every method recover is how sure its teacher is.
    """
    sure = HALF + rng.normal(0, INSTANCE_STD)
    train_y, test_y = (rng.permutation(np.arange(rows) % 2) for rows in (TRAIN, TEST))
    weak, teacher = teach(train_y, sure, rng), teach(test_y, sure, rng)
    train_x, test_x = (_features(y, taught, domain, rng) for y, taught in ((train_y, weak), (test_y, teacher)))
    return drawn_of(train_x, weak, test_x, test_y.astype(np.uint8), teacher, WEAK, STRONG)


def _features(labels: np.ndarray, taught: np.ndarray, domain: str, rng: np.random.Generator) -> np.ndarray:
    side = 2 * labels - 1
    right = np.where(taught.argmax(1) == labels, side, -side)
    ones = [np.ones(len(labels))] * (1 + DOMAINS.index(domain))
    return np.stack([side, rng.uniform(-0.5, 0.5, len(labels)), right, *ones], 1).astype(np.float32)


class WorldSandbox:
    """Stands in for the sandbox: answers at once as a method of its true PGR would, with the noise of instance and method.

    Which rows it gets right depends on each row alone, on whether the teacher has it right, and on the recipe's style.
    """

    device = "cpu"

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, source: str, problem: Problem, limits: Limits) -> Outcome:
        """Return (n_test, 2) answers."""
        taken = recipe_of(source)
        if taken is None:
            return Outcome(Status.CRASHED, None, 0.001, message="line 1: NameError: no steps")
        rng = np.random.default_rng(problem.seed)
        said, domain = 2 * problem["weak"][:, 1] - 1, problem["test_x"].shape[1] - 4
        luck = np.abs(said).mean() - HALF + rng.normal(0, METHOD_STD)
        accuracy = float(np.clip(WEAK + (self._world.truth(taken)[domain] + luck) * (STRONG - WEAK), 0, 1))
        side = np.mean(np.sign(said * problem["train_x"][:, 0]))
        truth = problem["test_x"][:, 0]
        kept, mended = _shares(accuracy, self._world.style(taken)) if abs(side) > DOUBT else (0.5, 0.5)
        share = np.where(problem["test_x"][:, 2] / truth > 0, kept, mended)
        answers = (truth * side > 0) == ((FINE * problem["test_x"][:, 1] / truth + rng.random()) % 1 < share)
        return Outcome(Status.OK, np.stack([~answers, answers], 1).astype(np.float32), 0.001)


def _shares(accuracy: float, style: float) -> tuple[float, float]:
    """Return which share it keeps of the rows that the teacher has right, and mends of the others."""
    least = max(0.0, (accuracy - WEAK) / (1 - WEAK))
    mended = least + style * max(accuracy - least, 0.0)
    return min(1.0, (accuracy - (1 - WEAK) * mended) / WEAK), mended


def written(recipe: Sequence[int]) -> str:
    """Return a recipe in words, as an idea states it."""
    return ", ".join(f"{NAMES[step]} {CONSTANTS[level - 1]:g}" for step, level in enumerate(recipe) if level) or "nothing"


def neighbours(recipe: Recipe) -> list[Recipe]:
    """Return the recipes that differ in one step: not taken, taken, or with another constant."""
    levels = range(1 + len(CONSTANTS))
    changed = itertools.product(range(len(NAMES)), levels)
    return [(*recipe[:step], level, *recipe[step + 1 :]) for step, level in changed if level != recipe[step]]
