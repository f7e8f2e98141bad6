"""AUC PGR: 0 for the teacher's own answers, 1 for the ceiling's, the same for any scale of scores; else none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.auc import auc, score
from fitness.contracts.probabilities import ACCURACY, PROBABILITIES
from fitness.nouns import Score
from fitness.vault.instance import Answers

ROWS = 400


def two(p: np.ndarray) -> np.ndarray:
    return np.stack([1 - p, p], 1)


def noisy(y: np.ndarray, noise: float, seed: int) -> np.ndarray:
    z = np.random.default_rng(seed).normal(2.0 * y - 1, noise)
    return two(1 / (1 + np.exp(-z)))


Y = np.arange(ROWS) % 2
TEACHER, CEILING = noisy(Y, 4.0, 1), noisy(Y, 1.0, 2)


def found(answer: np.ndarray, ceiling_auc: float | None, rows: np.ndarray | None = None) -> Score | None:
    order = np.arange(ROWS) if rows is None else rows
    private = {"test_y": Y, "teacher": TEACHER}
    answers = Answers(PROBABILITIES, ACCURACY, private, 0.6, 0.9, {"n_test": order}, ceiling_auc=ceiling_auc)
    return answers.auc(answer[order])


def test_the_teachers_answers_recover_nothing_and_the_ceilings_everything() -> None:
    area = auc(CEILING, Y)
    for answer, pgr in ((TEACHER, 0.0), (CEILING, 1.0)):
        scored = found(answer, area, np.random.default_rng(0).permutation(ROWS))
        assert scored is not None
        assert scored.pgr == pytest.approx(pgr)


@given(st.floats(0.2, 5.0), st.integers(0, 99))
def test_a_monotone_change_of_scores_changes_nothing(power: float, seed: int) -> None:
    answer = noisy(Y, 2.0, seed)
    first, second = (found(two(p), auc(CEILING, Y)) for p in (answer[:, 1], answer[:, 1] ** power))
    assert first is not None
    assert second is not None
    assert first.pgr == pytest.approx(second.pgr, abs=1e-6)


def test_ties_count_half() -> None:
    assert auc(two(np.full(ROWS, 0.5)), Y) == 0.5


def test_there_is_none_where_an_area_is_unknown_or_leaves_no_gap() -> None:
    assert found(CEILING, None) is None
    assert found(CEILING, 0.5) is None
    assert score(0.7, 0.8, 0.8, ROWS) is None
    assert auc(CEILING, np.zeros(ROWS)) is None
    assert auc(np.full((ROWS, 3), 1 / 3), Y) is None
