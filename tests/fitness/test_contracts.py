"""What a contract says in data: its words, the arrays that a trial is handed, the answers and draws that fit it."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fitness.contracts import checking, wording
from fitness.contracts.arranging import chosen, encoded, pack, reordered, restored
from fitness.contracts.contract import OFFSETS, Answer, Array, Contract, Order, Problem
from fitness.contracts.probabilities import PROBABILITIES
from fitness.nouns import TaskFault
from fitness.sandbox.telling import noise
from fitness.tasks.calling import strings

CONTRACT = Contract(
    arrays=(
        Array("x", "n d", meaning="features"),
        Array("near", "n 2", "int64", values="n"),
        Array("asked", "m", "text", "questions"),
        Array("eps", "", meaning="how far"),
        Array("hint", "m", optional=True),
    ),
    answer=Answer("m 3", 0, None, "odds"),
    orders=(Order("n", "n"), Order("m", "m")),
)
N, M = 7, 4


def drawn(**others: Any) -> dict[str, Any]:
    """Return public arrays as a task draws them, some of them others; None leaves one out."""
    rng = np.random.default_rng(0)
    x, near = rng.standard_normal((N, 5)).astype(np.float32), rng.integers(0, N, (N, 2))
    arrays = {"x": x, "near": near, "asked": ["why?", "", "wo bist du, Übermut?", "x"], "eps": np.float32(0.5), **others}
    return {name: array for name, array in arrays.items() if array is not None}


def arrays() -> dict[str, np.ndarray]:
    return checking.flat(CONTRACT, drawn(), {})[0]


def test_the_words_of_the_weak_to_strong_contract_are_those_of_recorded_runs() -> None:
    said = wording.text(PROBABILITIES)
    assert hashlib.sha256(said.encode()).hexdigest()[:16] == "e5a98448abea74ad"
    assert "return probabilities        # (n_test,) P(y = 1), or (n_test, n_classes); real, finite, in [0, 1]" in said


def test_the_words_of_a_contract_name_all_that_a_method_reads_and_returns() -> None:
    said = wording.text(CONTRACT)
    for part in ("problem.x", "(n, d) float32", "features", "(m,) list of strings: questions", "one number, float32: how far"):
        assert part in said
    assert "None, or (m,) float32" in said
    assert "return odds" in said
    assert "# (m, 3); real, finite, in [0, inf)" in said
    assert "problem.student" not in said
    assert "problem.student" in wording.text(replace(CONTRACT, student="3"))
    assert max(map(len, said.splitlines())) < 130


def test_places_follow_the_rows_that_a_trial_moves() -> None:
    given = arrays()
    packing = pack(CONTRACT, given, lambda label: np.random.default_rng(len(label)))
    rows = packing.rows["n"]
    moved = {**packing.arrays, **{name: packing.arrays[name][order] for name, order in packing.orders.items()}}
    np.testing.assert_array_equal(moved["x"], given["x"][rows])
    np.testing.assert_array_equal(moved["x"][moved["near"]], given["x"][given["near"]][rows])
    asked, before = strings(moved)["asked"], drawn()["asked"]
    assert asked == [before[row] for row in packing.rows["m"]]
    assert sorted(rows) == list(range(N))


def test_an_answer_goes_back_to_where_its_rows_came_from() -> None:
    rows = {"m": np.random.default_rng(1).permutation(M), "n": np.arange(N)[::-1]}
    answer = np.arange(M * 3).reshape(M, 3)
    np.testing.assert_array_equal(restored(("m", "3"), answer[rows["m"]], rows), answer)
    both = np.arange(N * M).reshape(N, M)
    np.testing.assert_array_equal(restored(("n", "m"), both[np.ix_(rows["n"], rows["m"])], rows), both)


def test_a_dimension_is_reordered_along_every_axis_that_it_is() -> None:
    contract = Contract((Array("pairwise", "n n"), Array("kind", "n", "int64", values="k"), Array("named", "k d")), Answer("n"))
    given = {"pairwise": np.arange(9.0).reshape(3, 3), "kind": np.array([0, 1, 1]), "named": np.eye(2)}
    turned = reordered(contract, given, {"n": np.array([2, 0, 1]), "k": np.array([1, 0])})
    np.testing.assert_array_equal(turned["pairwise"], given["pairwise"][np.ix_([2, 0, 1], [2, 0, 1])])
    np.testing.assert_array_equal(turned["named"][turned["kind"]], given["named"][given["kind"]][[2, 0, 1]])


@pytest.mark.parametrize("rows", [[3, 1], [0, 0, 2], []])
def test_strings_are_chosen_by_row(rows: list[int]) -> None:
    texts = ["", "eins", "zwei und drei", "ß"]
    given = encoded("t", texts)
    found = chosen("t", given["t"], given["t" + OFFSETS], np.array(rows, int))
    assert strings(found)["t"] == [texts[row] for row in rows]


def test_noise_keeps_to_the_contract_and_holds_nothing_of_the_problem() -> None:
    one = Problem(CONTRACT, arrays(), 3)
    other = Problem(CONTRACT, checking.flat(CONTRACT, drawn(x=np.ones((N, 5), np.float32)), {})[0], 4)
    noisy, again = noise(one), noise(other)
    for name, array in noisy.arrays.items():
        np.testing.assert_array_equal(array, again[name])
        assert array.dtype == one[name].dtype
    assert (noisy.shape, noisy.seed) == (one.shape, 0)
    assert 0 <= noisy["near"].min() <= noisy["near"].max() < N
    assert all(text.isascii() for text in strings(noisy.arrays)["asked"])


@pytest.mark.parametrize(
    ("low", "high", "values", "fine"),
    [
        (0, 1, [0.0, 1.0], True),
        (0, 1, [0.0, 1.1], False),
        (0, None, [1e30, 0.0], True),
        (0, None, [-0.1], False),
        (None, None, [-1e30, 1e30], True),
        (None, None, [np.nan], False),
        (None, 5, [-np.inf], False),
    ],
)
def test_an_answer_lies_in_its_range_or_is_none(low: float | None, high: float | None, values: list[float], fine: bool) -> None:
    fault = Answer("n", low, high).fault(np.array(values, np.float32))
    assert (fault == "") == fine
    assert fine or "finite numbers in" in fault


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"x": None}, "the public array x is missing"),
        ({"moon": np.ones(3)}, "the public array moon is drawn and not declared"),
        ({"x": np.ones((N, 5))}, "x is float64, and declared as float32"),
        ({"x": np.ones(N, np.float32)}, r"x has shape \(7,\), and 2 dimensions are declared"),
        ({"near": np.zeros((N, 3), np.int64)}, r"near has shape \(7, 3\): 3 is not 2, declared"),
        ({"near": np.zeros((N - 1, 2), np.int64)}, "near has shape .*: 6 is not 7, what x has along n"),
        ({"near": np.full((N, 2), N)}, "near is declared as whole numbers below 7, and holds others"),
        ({"x": np.full((N, 5), np.nan, np.float32)}, "x holds numbers that are not finite"),
        ({"asked": ["a", 3, "b", "c"]}, "asked is declared as text: it is a list of strings"),
        ({"asked": []}, "asked has shape .*: it is empty"),
        ({"eps": np.ones(2, np.float32)}, "eps has shape .*, and 0 dimensions are declared"),
        ({"hint": np.ones(M + 1, np.float32)}, "hint has shape .*: 5 is not 4, what asked has along m"),
    ],
)
def test_a_draw_that_breaks_its_contract_is_one_sentence_with_the_arrays_name(others: dict[str, Any], said: str) -> None:
    with pytest.raises(TaskFault, match=said):
        checking.flat(CONTRACT, drawn(**others), {})


def test_places_along_a_dimension_fit_their_type_and_are_numbered_from_0() -> None:
    contract = Contract(
        (Array("x", "n"), Array("near", "m", "uint8", values="n"), Array("who", "m", "int64", values="k")), Answer("n")
    )
    near, who = np.zeros(2, np.uint8), np.array([0, 3])
    checking.flat(contract, {"x": np.ones(256, np.float32), "near": near, "who": who}, {})
    with pytest.raises(TaskFault, match="near is declared as uint8, which cannot number the 257 places along n"):
        checking.flat(contract, {"x": np.ones(257, np.float32), "near": near, "who": who}, {})
    for wrong in (np.array([0, -1]), np.array([0, 10**9])):
        with pytest.raises(TaskFault, match="who is declared as whole numbers below 1048576, and holds others"):
            checking.flat(contract, {"x": np.ones(9, np.float32), "near": near, "who": wrong}, {})


def test_places_along_what_an_instance_lacks_are_bounded_by_nothing() -> None:
    contract = Contract((Array("x", "n", optional=True), Array("near", "m", "int64", values="n")), Answer("m"))
    assert checking.flat(contract, {"near": np.array([0, 7])}, {})[0].keys() == {"near"}


def test_probabilities_and_private_arrays_are_held_to_what_is_declared() -> None:
    x, weak = np.ones((4, 2), np.float32), np.full((4, 2), 0.5, np.float32)
    private = {"test_y": np.array([0, 1, 1, 0], np.uint8), "teacher": weak}
    checking.flat(PROBABILITIES, {"train_x": x, "weak": weak, "test_x": x}, private)
    for public, kept, said in (
        ({"weak": 2 * weak}, {}, "weak is declared as probabilities"),
        ({}, {"test_y": np.full(4, 2, np.uint8)}, "private array test_y is declared as whole numbers below 2"),
        ({}, {"teacher": None}, "private array teacher is missing"),
        ({}, {"more": np.array([object()])}, "private array more is of type object"),
    ):
        with pytest.raises(TaskFault, match=said):
            checking.flat(PROBABILITIES, {"train_x": x, "weak": weak, "test_x": x, **public}, {**private, **kept})


@pytest.mark.parametrize("anchors", [(np.nan, 1.0), (0.1, np.inf), ("0", 1.0), (None, 1.0)])
def test_anchors_are_finite_numbers(anchors: tuple[Any, Any]) -> None:
    with pytest.raises(TaskFault, match="must be a finite number"):
        checking.check_anchors(*anchors)


@pytest.mark.parametrize("make", [lambda: PROBABILITIES, lambda: CONTRACT])
def test_sizes_that_disagree_are_named(make: Callable[[], Contract]) -> None:
    contract = make()
    first = contract.arrays[0]
    wrong = np.zeros((3, 3), np.float32)
    others = {array.name: np.zeros((4,) * len(array.axes)) for array in contract.arrays[1:2]}
    with pytest.raises(ValueError, match=f"along {first.axes[0]}, where 3 were expected"):
        contract.sizes({first.name: wrong, **others})


def test_the_contract_tells_the_students_defaults_as_they_are() -> None:
    from fitness.sandbox.inside.student import Student

    told = " ".join(wording.text(PROBABILITIES).split())
    for name, parameter in inspect.signature(Student.fit).parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            assert f"{name}={parameter.default}" in told
