"""Problems of other contracts behind the walls: every type of array, strings, single numbers, and answers of any shape."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace

import numpy as np
import pytest
from small_problem import LIMITS

from fitness.contracts.arranging import encoded
from fitness.contracts.contract import DTYPES, TEXT, Answer, Array, Contract, Problem
from fitness.nouns import Outcome, Status
from fitness.sandbox.sandbox import Sandbox

KINDS = tuple(kind for kind in DTYPES if kind != TEXT)
CONTRACT = Contract(
    arrays=(
        *(Array(f"of_{kind}", "n d", kind) for kind in KINDS),
        Array("asked", "m", TEXT),
        Array("eps", ""),
        Array("hint", "m", optional=True),
    ),
    answer=Answer("m 2 d", -1, None, "moves"),
    told=("d",),
)
TEXTS = ["why?", "", "wo bist du, Übermut?", "\n\t" * 300]
N, D = 5, 3


def problem(contract: Contract = CONTRACT) -> Problem:
    grid = np.arange(N * D).reshape(N, D)
    arrays = {f"of_{kind}": (grid % 2 if kind == "bool" else grid).astype(kind) for kind in KINDS}
    return Problem(contract, {**arrays, **encoded("asked", TEXTS), "eps": np.array(0.25, np.float32)}, 11)


def run(sandbox: Sandbox, source: str, contract: Contract = CONTRACT) -> Outcome:
    return sandbox.run(textwrap.dedent(source), problem(contract), LIMITS)


@pytest.mark.thorough
def test_a_method_is_handed_what_its_contract_declares_and_nothing_else(sandbox: Sandbox) -> None:
    outcome = run(
        sandbox,
        f"""
        import torch

        def method(problem):
            for kind in {KINDS!r}:
                array = getattr(problem, "of_" + kind)
                assert array.dtype is getattr(torch, kind) and array.shape == (5, 3), kind
                assert (array == (torch.arange(15).reshape(5, 3) % (2 if kind == "bool" else 99))).all(), kind
            assert problem.asked == {TEXTS!r}
            assert problem.eps.shape == () and float(problem.eps) == 0.25
            assert problem.hint is None
            assert problem.d == 3 and problem.seed == 11 and problem.device.type == "cpu"
            assert not hasattr(problem, "student") and not hasattr(problem, "floor") and not hasattr(problem, "private")
            named = {{"of_" + kind for kind in {KINDS!r}}} | {{"asked", "eps", "hint", "d", "seed", "device"}}
            assert {{name for name in vars(problem) if name != "note"}} == named, vars(problem)
            return torch.arange(4 * 2 * 3).reshape(4, 2, 3) * 1e6
        """,
    )
    assert outcome.status is Status.OK, outcome.message
    np.testing.assert_array_equal(outcome.predictions, np.arange(24, dtype=np.float32).reshape(4, 2, 3) * 1e6)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("torch.zeros(4, 6)", r"the method returned shape \(4, 6\), expected \(4, 2, 3\)"),
        ("torch.zeros(4)", "the method returned shape"),
        ("torch.zeros(4, 2, 3) - 2", r"values from -2 to -2, expected \[-1, inf\)"),
        ("torch.zeros(4, 2, 3) / 0", "values that are not finite, expected moves of shape"),
        ("torch.full((4, 2, 3), 1e300, dtype=torch.float64)", "values that are not finite, expected moves of shape"),
        ("None", "the method returned NoneType, expected a tensor or an array"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_a_sentence_in_its_words(sandbox: Sandbox, returned: str, said: str) -> None:
    outcome = run(sandbox, f"import torch\ndef method(problem):\n    return {returned}\n")
    assert outcome.status is Status.INVALID
    assert re.search(said, outcome.message), outcome.message


@pytest.mark.thorough
def test_an_answer_without_ends_may_be_any_finite_number(sandbox: Sandbox) -> None:
    free = replace(CONTRACT, answer=Answer("m"))
    outcome = run(sandbox, "import torch\ndef method(problem):\n    return torch.tensor([-1e30, 0, 3, 1e30])\n", free)
    assert outcome.predictions is not None, outcome.message
    assert outcome.predictions.tolist() == pytest.approx([-1e30, 0, 3, 1e30])


@pytest.mark.thorough
def test_a_student_of_as_many_classes_as_the_contract_says(sandbox: Sandbox) -> None:
    ten = replace(CONTRACT, student="10", answer=Answer("n 10", 0, 1, choice=True))
    source = """
    import torch
    def method(problem):
        return problem.student.fit(problem.of_float32, torch.arange(5), epochs=1)(problem.of_float32)
    """
    outcome = run(sandbox, source, ten)
    assert outcome.predictions is not None, outcome.message
    assert outcome.predictions.shape == (5, 10)


@pytest.mark.thorough
def test_what_a_method_says_of_strings_it_says_of_noise(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "def method(problem):\n    raise ValueError(problem.asked[2])\n")
    assert outcome.status is Status.CRASHED
    assert "bermut" not in outcome.message
