"""Changes that are drawn (turned axes, orders of rows, numbers): erratic answers hide no cheat, and luck blames none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from fitness import pgr
from fitness.contracts.contract import Answer, Array, Arrays, Contract, Problem
from fitness.contracts.symmetries import permute, rename, turn
from fitness.nouns import Finding, Outcome, Score, Status, Verdict
from fitness.probes.evidence import flagged
from fitness.probes.examination import Case
from fitness.probes.probes import examine
from fitness.vault.instance import Answers

N, M, D, C, K = 300, 200, 6, 3, 5
CONTRACT = Contract(
    arrays=(
        Array("x", "n d"),
        Array("y", "n c", values="probabilities"),
        Array("who", "n", "int64", values="k"),
        Array("new", "m d"),
    ),
    answer=Answer("m c", choice=True),
    symmetries=(permute("n"), rename("k"), turn("x")),
    probes=("permute_n", "rename_k", "turn_x"),
)
Method = Callable[[Problem, np.random.Generator], np.ndarray]


class Share:
    """Scores by the share of the rows whose class is told."""

    def score(self, answer: np.ndarray, private: Arrays, floor: float, ceiling: float) -> Score:
        return pgr.recovered(float(np.mean(answer.argmax(1) == private["truth"])), floor, ceiling, len(answer))

    def behaviour(self, answer: np.ndarray, public: object, private: Arrays) -> Mapping[str, float]:
        return {}


def case(seed: int) -> Case:
    """Three classes that the first column tells best; one annotator of five knows them."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((D, C))
    w[0] = 3, 0, -3
    x = rng.standard_normal((N + M, D))
    truth, who = (x @ w).argmax(1), rng.integers(0, K, N)
    wrong = rng.random(N) < np.where(who == 0, 0.0, 0.7)
    said = np.where(wrong, rng.integers(0, C, N), truth[:N])
    arrays = {"x": x[:N], "y": np.eye(C)[said], "new": x[N:]}
    given = {name: array.astype(np.float32) for name, array in arrays.items()} | {"who": who}
    return Case(Problem(CONTRACT, given, seed), Answers(CONTRACT, Share(), {"truth": truth[N:]}, 1 / 3, 1.0, {}), None)


def fitted(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Ridge regression."""
    mean = y.mean(0)
    found: np.ndarray = new @ np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ (y - mean)) + mean
    return found


def far(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return squared distances, less what is the same for all of b."""
    distances: np.ndarray = (b**2).sum(1) - 2 * a @ b.T
    return distances


def ridge(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    return fitted(problem["x"], problem["y"], problem["new"])


def neighbours(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    near = np.argpartition(far(problem["new"], problem["x"]), 9, 1)[:, :9]
    return problem["y"][near].mean(1)


def bagged(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Ridge regression on a few rows, drawn from the seed: what it recovers differs widely from seed to seed."""
    rows = rng.integers(0, N, 25)
    return fitted(problem["x"][rows], problem["y"][rows], problem["new"])


def waves(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Random features (Rahimi and Recht 2007), drawn from the seed."""
    axes, phases = rng.standard_normal((D, 20)) / 2, rng.uniform(0, 6, 20)
    return fitted(np.cos(problem["x"] @ axes + phases), problem["y"], np.cos(problem["new"] @ axes + phases))


def clusters(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Six means, begun at rows that are drawn, each of what most of its rows are said to be."""
    x, y, means = problem["x"], problem["y"], rng.choice(problem["x"], 6, replace=False)
    for _ in range(10):
        near = far(x, means).argmin(1)
        means = np.stack([x[near == i].mean(0) if (near == i).any() else means[i] for i in range(6)])
    told = np.stack([y[near == i].mean(0) if (near == i).any() else y.mean(0) for i in range(6)])
    return told[far(problem["new"], means).argmin(1)]


def first_column(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Know which column tells the classes, and how."""
    column = problem["new"][:, 0]
    return np.stack([3 * column, 0 * column, -3 * column], 1)


def column_fitted(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Know which column to learn from."""
    return fitted(problem["x"][:, :1], problem["y"], problem["new"][:, :1])


def first_annotator(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Know by its number which annotator to believe."""
    rows = np.flatnonzero(problem["who"] == 0)
    return fitted(problem["x"][rows], problem["y"][rows], problem["new"])


HONEST = (ridge, neighbours, bagged, waves, clusters)
CHEATS = ((first_column, "turn_x"), (column_fitted, "turn_x"), (first_annotator, "rename_k"))


def found(method: Method, instance: int, thorough: bool, names: tuple[str, ...]) -> tuple[Finding, ...]:
    def run(problem: Problem) -> Outcome:
        answer = method(problem, np.random.default_rng(problem.seed))
        return Outcome(Status.OK, np.asarray(answer, np.float32), 0.01)

    return examine(run, case(instance), np.random.default_rng(instance), thorough, names)


@pytest.mark.parametrize(("method", "probe"), CHEATS)
def test_who_lives_on_one_column_or_number_is_caught_though_the_change_makes_its_answers_erratic(
    method: Method, probe: str
) -> None:
    for first in range(0, 12, 4):
        findings = [finding for one in range(first, first + 4) for finding in found(method, one, True, (probe,))]
        assert flagged(probe, findings), [finding.sentence for finding in findings]


@pytest.mark.parametrize("method", HONEST)
@pytest.mark.parametrize("thorough", [False, True])
def test_a_hundred_and_more_readings_of_honest_methods_raise_no_alarm(method: Method, thorough: bool) -> None:
    """Five methods, twelve instances, three probes, in both modes: 360 readings."""
    findings = [finding for one in range(12) for finding in found(method, one, thorough, CONTRACT.probes)]
    assert len(findings) == 36
    assert [finding.sentence for finding in findings if finding.verdict is not Verdict.PASSED] == []


def test_who_recovers_more_once_changed_is_not_blamed() -> None:
    """Reading the column that tells least costs a method, and nobody else."""

    def worst(problem: Problem, rng: np.random.Generator) -> np.ndarray:
        return -first_column(problem, rng)

    for one in range(3):
        (finding,) = found(worst, one, True, ("turn_x",))
        assert finding.verdict is Verdict.PASSED
        assert finding.number is not None
        assert finding.number < -0.15
