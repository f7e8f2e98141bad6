"""Do the intervals cover? Simulated through the program's own code, from labels to interval.

One repeat draws instances whose true accuracies differ. On each, teacher, ceiling and method answer the same test rows, the
vault scores the answers in a trial's row order, and fitness.pgr makes PGR, interval and fitness of them. A population is where
the instances come from; its true PGR, the expectation over instances of the ratio of true accuracies, is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean

import numpy as np
import pytest
from scipy.special import ndtri

from fitness import pgr
from fitness.nouns import Score
from tests.support.weak_to_strong import answers_of

pytestmark = pytest.mark.thorough

ROWS = 3000  # of the test set, balanced
COUNTS = (5, 10, 20)  # instances
TRUTHS = (-0.2, 0.3, 0.9)
SHARED = 0.5  # of the variance of a row's luck is the row's difficulty, the same for teacher, ceiling and method
LEAST, MOST = 0.01, 0.99  # true accuracy that a method can have

# At skewness -2, the worst there is here, the one-sided bounds of pgr.fitness and pgr.paired are above the truth in .16, .14
# and .12 of cases rather than .10, and in .10, .08 and .07 rather than .05. To that the limits add 3.3 standard errors.
FITNESS_WRONG = {5: 0.20, 10: 0.175, 20: 0.155}
PAIRED_WRONG = {5: 0.13, 10: 0.11, 20: 0.10}

Tell = Callable[[str], None]
Group = tuple[Score, ...]  # one method's scores, instance by instance


@dataclass(frozen=True)
class Population:
    """Where instances come from.

    Attributes:
        weak: mean true accuracy of the teacher; its standard deviation over instances is .03.
        strong: mean true accuracy of the ceiling; standard deviation .01.
        std: of what an instance adds to the method's true PGR: a shifted exponential, of skewness 2.
        tail: its long tail's side: 1 has a few instances far above the rest, -1 far below.
        truth: the true PGR.
    """

    name: str
    weak: float
    strong: float
    std: float
    tail: int
    truth: float = 0.0

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the true accuracies of teacher, ceiling and method, (size, 3)."""
        return self._reached(self._location, *self._instances(size, rng))

    @cached_property
    def _location(self) -> float:
        """What the effects are centred on: moved until the expectation is the truth, for no accuracy exceeds MOST."""
        location, instances = self.truth, self._instances(400_000, np.random.default_rng(0))
        for _ in range(4):
            weak, strong, ours = self._reached(location, *instances).T
            location += self.truth - float(np.mean((ours - weak) / (strong - weak)))
        return location

    def _instances(self, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        effect = self.tail * self.std * (rng.exponential(size=size) - 1)
        return rng.normal(self.weak, 0.03, size), rng.normal(self.strong, 0.01, size).clip(max=0.995), effect

    @staticmethod
    def _reached(location: float, weak: np.ndarray, strong: np.ndarray, effect: np.ndarray) -> np.ndarray:
        ours = weak + (location + effect) * (strong - weak)
        return np.stack([weak, strong, ours.clip(LEAST, MOST)], 1)


POPULATIONS = tuple(
    replace(population, truth=truth)
    for population in (
        Population("no instance effects", 0.60, 0.97, 0.0, 1),
        Population("right tail, std .1", 0.60, 0.97, 0.1, 1),
        Population("right tail, std .2", 0.60, 0.97, 0.2, 1),
        Population("left tail, std .1", 0.60, 0.97, 0.1, -1),
        Population("left tail, std .2", 0.60, 0.97, 0.2, -1),
        Population("small gap, no instance effects", 0.67, 0.92, 0.0, 1),
        Population("small gap, right tail, std .2", 0.67, 0.92, 0.2, 1),
        Population("small gap, left tail, std .2", 0.67, 0.92, 0.2, -1),
    )
    for truth in TRUTHS
    if (population.name, truth) != ("right tail, std .2", 0.9)  # all answers right would cut a quarter of it off
)
QUICK = [p for p in POPULATIONS if p.name in ("no instance effects", "left tail, std .2", "small gap, right tail, std .2")]


def judged(accuracies: Sequence[float], rng: np.random.Generator) -> Group:
    """Score the methods of true accuracies[2:] on one instance whose teacher and ceiling have the first two."""
    truth = rng.permutation(ROWS) % 2
    luck = SHARED**0.5 * rng.standard_normal(ROWS, dtype=np.float32)
    luck = luck + (1 - SHARED) ** 0.5 * rng.standard_normal((len(accuracies), ROWS), dtype=np.float32)
    right = luck < ndtri(np.asarray(accuracies))[:, None]
    teacher, ceiling, *methods = np.where(right, truth, 1 - truth)
    weak_acc, strong_acc = float(np.mean(teacher == truth)), float(np.mean(ceiling == truth))
    order = rng.permutation(ROWS)
    scores = []
    for answers in methods:
        known = answers_of(order, truth, teacher, weak_acc, strong_acc)
        scores.append(known.score(np.eye(2, dtype=np.float32)[answers[order]]))
    return tuple(scores)


def repeats(population: Population, count: int, rng: np.random.Generator) -> Iterator[Group]:
    """Yield the scores of one method on the most instances, once for every repeat; fewer instances are the first of them."""
    for _ in range(count):
        yield tuple(judged(list(accuracies), rng)[0] for accuracies in population.draw(max(COUNTS), rng))


@dataclass(frozen=True)
class Cell:
    """What repeats with n instances showed: the shares whose interval held the truth, and whose fitness was above it."""

    n: int
    covered: float
    wrong: float


def measure(population: Population, count: int, seed: int) -> list[Cell]:
    """Simulate the repeats; return a cell for each number of instances."""
    groups, truth = list(repeats(population, count, np.random.default_rng(seed))), population.truth
    cells = []
    for n in COUNTS:
        spans = [pgr.interval(group[:n]) for group in groups]
        wrong = fmean(pgr.fitness(group[:n]) > truth for group in groups)
        cells.append(Cell(n, fmean(span.low <= truth <= span.high for span in spans), wrong))
    return cells


def row(population: Population, cells: Sequence[Cell]) -> str:
    """Return a population's row of the printed table."""
    covered, wrong = (" ".join(f"{share:6.1%}" for share in shares) for shares in zip(*((c.covered, c.wrong) for c in cells)))
    return f"{population.name:<30} PGR {population.truth:>4}: covered {covered}, fitness above it {wrong} at n = 5, 10, 20"


def test_over_all_populations_together_intervals_cover_and_fitness_is_below_the_truth(tell: Tell) -> None:
    """The quick form: too few repeats to hold each cell to the limits, but enough for the mean over cells."""
    cells = []
    for seed, population in enumerate(QUICK):
        cells += (measured := measure(population, 40, seed))
        tell(row(population, measured))
    noise = 3.3 * (0.1 * 0.9 / (40 * len(QUICK))) ** 0.5
    for n in COUNTS:
        assert 0.85 <= fmean(cell.covered for cell in cells if cell.n == n) <= 0.95
        assert fmean(cell.wrong for cell in cells if cell.n == n) <= 0.10 + noise
    assert min(cell.covered for cell in cells) >= 0.85 - 3.3 * (0.85 * 0.15 / 40) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("population", POPULATIONS, ids=lambda p: f"{p.name}, {p.truth}")
def test_the_interval_covers_in_85_to_95_percent_of_1000_repeats(population: Population, tell: Tell) -> None:
    cells = measure(population, 1000, seed=100 + POPULATIONS.index(population))
    tell(row(population, cells))
    for cell in cells:
        assert 0.85 <= cell.covered <= 0.95
        assert cell.wrong <= FITNESS_WRONG[cell.n]


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("tail", [1, -1])
def test_the_paired_bound_is_rarely_above_no_difference(tail: int, truth: float, tell: Tell) -> None:
    """An uneven method against an even one that is as good on average, on the same rows."""
    uneven = Population("", 0.67, 0.92, 0.2, tail, truth)
    rng, wrong = np.random.default_rng(2), dict.fromkeys(COUNTS, 0)
    for _ in range(1000):
        accuracies = uneven.draw(max(COUNTS), rng)
        even = accuracies[:, 0] + truth * (accuracies[:, 1] - accuracies[:, 0])
        ours, theirs = zip(*(judged([*instance, rival], rng) for instance, rival in zip(accuracies, even)))
        for n in COUNTS:
            wrong[n] += pgr.paired(ours[:n], theirs[:n])[1] > 0
    shares = ", ".join(f"{count / 1000:.1%} with {n} instances" for n, count in wrong.items())
    tell(f"paired 95 % bound above 0, tail {tail:+}, truth {truth}: {shares}")
    assert all(count / 1000 <= PAIRED_WRONG[n] for n, count in wrong.items())


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_stderr_is_what_the_rows_leave_and_without_the_agreement_no_less(truth: float, tell: Tell) -> None:
    rng, accuracies = np.random.default_rng(3), [0.6, 0.97, 0.6 + 0.37 * truth]
    scores = [judged(accuracies, rng)[0] for _ in range(500)]
    found = float(np.std([s.pgr for s in scores]))
    known = fmean(s.stderr for s in scores) / found
    blind = fmean(pgr.score(s.value, s.floor, s.ceiling, s.n).stderr for s in scores) / found
    tell(f"stderr over the spread of equal instances, PGR {truth}: {known:.2f}, without the agreement {blind:.2f}")
    assert 0.9 <= known <= 1.15
    assert 0.9 <= blind <= 1.7
