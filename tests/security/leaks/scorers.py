"""What is attacked: scorers that hold n secret labels and answer queries about guesses at them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evolve.prompting.cards import HIGHEST, LOWEST, STEPS
from fitness.ladder import Ladder


def balanced(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw (n,) boolean labels, half of them true."""
    return rng.permutation(np.arange(n) % 2 == 1)


@dataclass(frozen=True)
class Counts:
    """What AAR's server returns: right answers in all, and right answers and rows of each class."""

    right: int
    right_of_class: tuple[int, int]
    rows_of_class: tuple[int, int]


class Published:
    """Stands in for the scoring server of AAR: exact counts, of every class too, for predictions of any alphabet."""

    def __init__(self, labels: np.ndarray) -> None:
        self._labels, self.queries = labels.astype(int), 0

    def score(self, predictions: np.ndarray) -> Counts:
        """Count the (n,) predictions that equal the label."""
        self.queries += 1
        classes = [self._labels == c for c in (0, 1)]
        right = [int(np.sum(predictions[rows] == c)) for c, rows in enumerate(classes)]
        return Counts(sum(right), (right[0], right[1]), (int(classes[0].sum()), int(classes[1].sum())))

    def ask(self, guess: np.ndarray) -> float:
        """Answer as the attacks on every scorer here want it: the share of right answers."""
        return self.score(guess.astype(int)).right / len(guess)


class Exact:
    """Answers with the accuracy itself."""

    def __init__(self, labels: np.ndarray) -> None:
        self._labels = labels

    def ask(self, guess: np.ndarray) -> float:
        """Answer a query about (n,) boolean answers."""
        return self._answer(guess == self._labels)

    def recovered(self, guess: np.ndarray) -> float:
        """Return the share of labels that a guess names; for the table only, never for an attack."""
        return _mean(guess == self._labels)

    def _answer(self, right: np.ndarray) -> float:
        return _mean(right)


class FixedStep(Exact):
    """Answers through the program's own Ladder, with the rung itself: more than a prompt shows of it."""

    def __init__(self, labels: np.ndarray) -> None:
        super().__init__(labels)
        self._ladder = Ladder()

    def _answer(self, right: np.ndarray) -> float:
        return self._ladder.ask(_mean(right)).value


class OnCard(Exact):
    """Answers with the PGR of a feedback card, between anchors of .6 and .98; the card's other numbers tell of it again."""

    def _answer(self, right: np.ndarray) -> float:
        pgr = (_mean(right) - 0.6) / (0.98 - 0.6)
        return round(min(max(pgr, LOWEST), HIGHEST) * STEPS) / STEPS


class ParameterFree(Exact):
    """The parameter-free Ladder (Blum & Hardt 2015, algorithm 2): its step is the standard error of the gain over the best."""

    def __init__(self, labels: np.ndarray) -> None:
        super().__init__(labels)
        self._best = np.zeros(len(labels), bool)

    def _answer(self, right: np.ndarray) -> float:
        gain = _mean(right) - _mean(self._best)
        deviation = math.sqrt(_mean(right ^ self._best) - gain**2)  # of the rows' differences, each -1, 0 or 1
        if gain > deviation / math.sqrt(len(right)):
            self._best = right
        return _mean(self._best)


def _mean(values: np.ndarray) -> float:
    return int(np.count_nonzero(values)) / len(values)
