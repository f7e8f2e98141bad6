"""Draws the instances of the task truth (builder process only: this imports torch and scikit-learn)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fitness.auc import auc
from fitness.tasks.embedded.drawing import ceiling, frame
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw
from fitness.tasks.truth.pool import Relation, load
from fitness.tasks.truth.task import DOMAINS, TRAIN

CHANCE, ALL = 0.5, 1.0  # the anchors where what was learnt is carried over to another relation
STEEPNESS = 1.7 * 1.35  # of the teacher's curve: a logistic is nearly normal at 1.7; quartiles lie 1.35 deviations apart


@dataclass(frozen=True, eq=False)
class Side:
    """The n statements of an instance that are trained on, or tested on.

    Attributes:
        x: (n, width), the residual stream, without the mean of the statements of the same template.
        taught: (n, 2) float32, the weak teacher's probabilities.
        y: (n,) 1 where a statement is true.
    """

    x: np.ndarray
    taught: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, eq=False)
class Reference:
    """What statements are measured against.

    Attributes:
        means: (templates, width), of the residual stream.
        quartiles: (3,), of the likelihood.
    """

    means: np.ndarray
    quartiles: np.ndarray


class TruthSource:
    """Draws instances of the statements that are shipped, which it reads once."""

    def __init__(self, options: Mapping[str, int]) -> None:
        pass

    @cached_property
    def relations(self) -> Mapping[str, Relation]:
        """The statements, by relation."""
        return load()

    def draw(self, domain: str, secret: Secret) -> Draw:
        """Draw an instance: other subjects on either side, other false statements, another frame."""
        train, test = self.sides(domain, secret)
        train_x, test_x = frame(train.x, test.x, secret)
        floor, best, area = CHANCE, ALL, None
        if not DOMAINS[domain].carried_to:
            answers = ceiling(train_x, train.y, test_x, secret.seed("ceiling"))
            floor, best = (float(np.mean(found == test.y)) for found in (test.taught.argmax(1), answers.argmax(1)))
            area = auc(answers, test.y)
        return Draw(
            public={"train_x": train_x, "weak": train.taught, "test_x": test_x},
            private={"test_y": test.y.astype(np.uint8), "teacher": test.taught},
            floor=floor,
            ceiling=best,
            ceiling_auc=area,
        )

    def sides(self, domain: str, secret: Secret) -> tuple[Side, Side]:
        """Draw what an instance trains on and what it is tested on: before its frame."""
        about = DOMAINS[domain]
        relation = self.relations[about.relation]
        train, test = split(relation, secret)
        if not about.carried_to:
            reference = _reference(relation, about.per, train)
            return _side(relation, about.per, train, reference), _side(relation, about.per, test, reference)
        other, train = self.relations[about.carried_to], np.concatenate([train, test])
        test = one_false(other, secret).ravel()
        first, second = _reference(relation, about.per, train), _reference(other, about.per, test)
        return _side(relation, about.per, train, first), _side(other, about.per, test, second)


def split(relation: Relation, secret: Secret) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on and those to be tested on, which are about different subjects."""
    rows, n = one_false(relation, secret), len(relation.rows)
    train, test = np.split(secret.rng("split").permutation(n), [round(TRAIN * n)])
    return secret.rng("train").permutation(rows[train].ravel()), secret.rng("test").permutation(rows[test].ravel())


def one_false(relation: Relation, secret: Secret) -> np.ndarray:
    """Return (subjects, templates, 2) rows: each subject with its own object, and with another's, drawn."""
    own, others = relation.rows[..., :1], relation.rows[..., 1:]
    drawn = secret.rng("false").integers(others.shape[2], size=own.shape)
    return np.concatenate([own, np.take_along_axis(others, drawn, 2)], 2)


def _reference(relation: Relation, per: str, rows: np.ndarray) -> Reference:
    x, template = relation.x[rows].astype(np.float64), relation.template[rows]
    means = np.stack([x[template == t].mean(0) for t in range(relation.rows.shape[1])])
    return Reference(means, np.quantile(relation.likelihood[per][rows], [0.25, 0.5, 0.75]))


def _side(relation: Relation, per: str, rows: np.ndarray, reference: Reference) -> Side:
    """Return rows, centred and thresholded by the reference: no label is needed for either."""
    x = relation.x[rows].astype(np.float64) - reference.means[relation.template[rows]]
    return Side(x, _taught(relation.likelihood[per][rows], reference.quartiles), relation.y[rows])


def _taught(likelihood: np.ndarray, quartiles: np.ndarray) -> np.ndarray:
    """Return how far likelihoods are above the median, in units of the spread, as (n, 2) probabilities."""
    low, median, high = quartiles
    true = 1 / (1 + np.exp(-STEEPNESS * (likelihood - median) / (high - low)))
    return np.stack([1 - true, true], 1).astype(np.float32)
