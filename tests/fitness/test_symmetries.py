"""The probes that are derived of declarations: each fails who breaks its symmetry, and passes who keeps it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from fitness import pgr
from fitness.contracts.contract import Answer, Array, Arrays, Contract, Problem
from fitness.contracts.symmetries import Symmetry, apart, exchange, needs, permute, rename, repeats, turn
from fitness.nouns import Finding, Outcome, Score, Status, Verdict
from fitness.probes.derived import derived
from fitness.probes.examination import Case
from fitness.probes.probes import chosen, examine
from fitness.registry import UsageError
from fitness.vault.instance import Answers

N, M, D, K = 400, 120, 6, 16  # labelled rows, new rows, features, annotators
DECLARED = (
    repeats(),
    apart("m"),
    permute("n"),
    rename("k"),
    exchange("d"),
    turn("x"),
    needs("y"),
)
CONTRACT = Contract(
    arrays=(
        Array("x", "n d"),
        Array("y", "n"),
        Array("who", "n", "int64", values="k"),
        Array("skill", "k"),
        Array("new", "m d"),
    ),
    answer=Answer("m"),
    symmetries=DECLARED,
    probes=("determinism", "constant", *(symmetry.name for symmetry in DECLARED[1:])),
)
Method = Callable[[Problem], np.ndarray]


class Closeness:
    """Scores values by how much of the variance of the truth they leave over."""

    def score(self, answer: np.ndarray, private: Arrays, floor: float, ceiling: float) -> Score:
        return pgr.recovered(-float(np.mean((answer - private["truth"]) ** 2)), floor, ceiling, len(answer))

    def errors(self, answer: np.ndarray, private: Arrays) -> Mapping[str, float]:
        return {}

    def behaviour(self, answer: np.ndarray, public: Callable[[], Arrays], private: Arrays) -> Mapping[str, float]:
        return {}


def case(seed: int = 0) -> Case:
    """A linear question, asked with noise by annotators of different skill."""
    rng = np.random.default_rng(seed)
    x, new, w = rng.standard_normal((N, D)), rng.standard_normal((M, D)), rng.standard_normal(D)
    who, skill = rng.integers(0, K, N), np.linspace(0.1, 2.0, K)
    y = x @ w + skill[who] * rng.standard_normal(N)
    arrays = {"x": x, "y": y, "skill": skill, "new": new}
    given = {name: array.astype(np.float32) for name, array in arrays.items()} | {"who": who}
    truth = new @ w
    problem = Problem(CONTRACT, given, 5)
    return Case(problem, Answers(CONTRACT, Closeness(), {"truth": truth}, -float(truth.var()), 0.0, {}), None)


def fitted(problem: Problem, weights: np.ndarray | float = 1.0) -> np.ndarray:
    x, y = problem["x"].astype(float), problem["y"].astype(float)
    w = np.linalg.solve(x.T @ (x * np.reshape(weights, (-1, 1))) + 1e-3 * np.eye(x.shape[1]), x.T @ (y * weights))
    return problem["new"] @ w


def honest(problem: Problem) -> np.ndarray:
    """Weigh each answer by its annotator's skill."""
    return fitted(problem, 1 / problem["skill"][problem["who"]].astype(float) ** 2)


def in_order(problem: Problem) -> np.ndarray:
    """Trust the first half of the rows, sorted as they come, with the weights that this order earns."""
    rising = np.corrcoef(np.arange(N), problem["x"] @ np.arange(D))[0, 1]
    return fitted(problem) * (rising == ORDER)


def by_number(problem: Problem) -> np.ndarray:
    """Know the good annotator by its number."""
    return fitted(problem, (problem["who"] == 0).astype(float)) * (problem["skill"][0] < 0.2)


def by_axis(problem: Problem) -> np.ndarray:
    """Know one axis by the sign of its skewness: turned, the answer is another."""
    return honest(problem) * (np.abs(problem["new"][:, 0]).max() == AXIS)


def by_place(problem: Problem) -> np.ndarray:
    """Know which feature comes first."""
    return honest(problem) * (np.abs(problem["new"][:, 0]).max() == AXIS)


def in_company(problem: Problem) -> np.ndarray:
    """Centre the new rows by their own mean."""
    new = problem["new"]
    return honest(problem.changed({"new": (new - new.mean(0)).astype(np.float32)}))


def remembered(problem: Problem) -> np.ndarray:
    """Know the weights from elsewhere."""
    return problem["new"] @ np.random.default_rng(0).standard_normal((N + M + 1, D))[-1]


def entropic(problem: Problem) -> np.ndarray:
    """Draw from fresh entropy."""
    answer = honest(problem)
    return answer + np.random.default_rng().standard_normal(M) * answer.std()


FIRST = case().problem
ORDER = np.corrcoef(np.arange(N), FIRST["x"] @ np.arange(D))[0, 1]
AXIS = np.abs(FIRST["new"][:, 0]).max()


def found(method: Method, thorough: bool = False, seed: int = 1, names: tuple[str, ...] | None = None) -> dict[str, Finding]:
    """Examine a method; return its findings by probe."""

    def run(problem: Problem) -> Outcome:
        return Outcome(Status.OK, np.asarray(method(problem), np.float32), 0.01)

    return {finding.probe: finding for finding in examine(run, case(), np.random.default_rng(seed), thorough, names)}


@pytest.mark.parametrize("thorough", [False, True])
def test_an_honest_method_passes_every_declared_probe(thorough: bool) -> None:
    findings = found(honest, thorough)
    assert {name: str(finding.verdict) for name, finding in findings.items()} == dict.fromkeys(CONTRACT.probes, "PASSED")


@pytest.mark.parametrize(
    ("method", "probe"),
    [
        (in_order, "permute_n"),
        (by_number, "rename_k"),
        (by_axis, "turn_x"),
        (by_place, "exchange_d"),
        (in_company, "apart_m"),
        (remembered, "needs_y"),
        (entropic, "determinism"),
        (lambda problem: np.full(len(problem["new"]), 3.0), "constant"),
    ],
)
def test_who_breaks_a_symmetry_fails_its_probe(method: Method, probe: str) -> None:
    for seed, thorough in itertools.product(range(3), (False, True)):
        finding = found(method, thorough, seed, (probe,))[probe]
        assert finding.verdict is Verdict.FAILED, finding.sentence


@pytest.mark.parametrize("method", [honest, fitted])
def test_declared_probes_raise_few_false_alarms(method: Method) -> None:
    """Over forty examinations of honest methods, whose seeds change nothing, none fails."""
    alarms = [n for seed in range(20) for n, finding in found(method, seed=seed).items() if finding.verdict is Verdict.FAILED]
    assert not alarms


def test_a_declaration_says_what_it_holds_against_whom() -> None:
    for symmetry in DECLARED:
        probe = derived(symmetry)
        assert probe.name == symmetry.name
        assert symmetry.called in probe.null or symmetry.kind == "repeats"
        assert len(probe.null.split()) > 4


def test_numbers_move_by_more_than_rounding_before_they_count() -> None:
    answer = Answer("n")
    from fitness.probes.examination import share_changed

    numbers = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    assert share_changed(answer, numbers, numbers * (1 + 1e-5)) == 0
    assert share_changed(answer, numbers, -numbers) > 0.98
    hard = replace(answer, choice=True)
    assert share_changed(hard, numbers.reshape(-1, 2), numbers.reshape(-1, 2) * 3) == 0


def test_a_name_that_nothing_declares_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="there is no probe named 'swap': the probes are determinism, apart_m"):
        chosen(replace(CONTRACT, probes=("swap",)))


def test_symmetries_are_data() -> None:
    assert permute("n") == Symmetry("permute", "n", "permute_n")
    assert needs("weak", name="shuffle").name == "shuffle"
