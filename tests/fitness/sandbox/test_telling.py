"""A failure's words say what a researcher needs and nothing of the instance; a person is told the calls and the prints too."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from small_problem import LIMITS, make_problem

from fitness.contracts.contract import Problem
from fitness.contracts.probabilities import PROBABILITIES
from fitness.nouns import Outcome, Status
from fitness.sandbox.sandbox import Sandbox
from fitness.sandbox.telling import noise, told

HEAD = "import numpy as np, torch, warnings, sys, os\ndef method(problem):\n    x = problem.train_x\n"
LEAKS = {
    "an exception's words": "raise ValueError(x[:20].tolist())",
    "an exception's name": "raise type('E' + x[:4].numpy().tobytes().hex(), (Exception,), {})()",
    "a key": "{}[float(x[0, 0])]",
    "a file's name": "open('/' + x[0, :8].numpy().tobytes().hex())",
    "an attribute": "getattr(problem, 'a' + x[0, :8].numpy().tobytes().hex())",
    "an import": "__import__('a' + x[0, :8].numpy().tobytes().hex())",
    "a literal of a library": "int(x[0, :8].numpy().tobytes().hex() + '.')",
    "a comparison of arrays": "np.testing.assert_array_equal(x[:3], x[:3] + 1)",
    "a warning as an error": "warnings.simplefilter('error'); warnings.warn(str(x[0]))",
    "an exit": "sys.exit(str(x[0].tolist()))",
    "a shape": "torch.zeros(int(abs(x[0, 0]) * 10**6), 3) @ torch.zeros(int(abs(x[0, 1]) * 10**6), 3)",
    "a returned shape": "return torch.zeros(int(abs(x[0, 0]) * 10**6))",
    "a returned type": "return type('R' + x[0, :4].numpy().tobytes().hex(), (), {})()",
    "a returned range": "return torch.full((300,), 2 + float(x[0, 0]))",
    "a count of values": "return torch.where(torch.arange(300) < abs(x[0, 0]) * 100, torch.nan, 0.5)",
    "what it printed before it died": "os.write(2, str(x[0].tolist()).encode()); os._exit(3)",
    "a death by what it printed": "os.write(2, str(x[0].tolist()).encode()); __import__('ctypes').string_at(0)",
    "a forged note": "os.write(3, b'C' + str(x[0].tolist()).encode()) ; os._exit(0)",
    "too much memory": "torch.zeros(int((9 + abs(x[0, 0])) * 10**10))",
}


def other() -> Problem:
    problem = make_problem(pairs=True)
    rng = np.random.default_rng(77)
    return problem.changed({"train_x": rng.standard_normal(problem["train_x"].shape, np.float32)})


@pytest.mark.thorough
@pytest.mark.parametrize("name", LEAKS)
def test_a_crash_says_the_same_of_two_instances(sandbox: Sandbox, problem: Problem, name: str) -> None:
    """Were a word of the instance in the message, it would differ: only the data do."""
    outcomes = [sandbox.run(f"{HEAD}    {LEAKS[name]}", instance, LIMITS) for instance in (problem, other())]
    assert outcomes[0].status not in (Status.OK, Status.LOST), outcomes[0].message
    assert outcomes[0].message == outcomes[1].message


@pytest.mark.thorough
def test_a_method_that_knows_noise_from_data_tells_a_few_bits(sandbox: Sandbox, problem: Problem) -> None:
    """It fails on its data alone: the exception, the line and a string of the source are told, and no word that it made."""
    source = f"{HEAD}    if x.mean().abs() > 0.05 or float(x[0, 0]) != {float(noise(problem)['train_x'][0, 0])!r}:\n"
    source += "        raise {what}\n    return torch.zeros(300)"
    data = sandbox.run(source.format(what="KeyError(x[0].tolist())"), problem, LIMITS)
    assert data.message.startswith("KeyError at line 5 of the method: on this instance's data only"), data.message
    own = sandbox.run(source.format(what="ValueError('the clusters fell into one')"), problem, LIMITS)
    assert own.message == "ValueError at line 5 of the method: the clusters fell into one"
    made = sandbox.run(source.format(what="type('Q' + hex(hash(float(x[0, 0]))), (Exception,), {})('no')"), problem, LIMITS)
    assert made.message.startswith("an exception at line 5 of the method: ")


@pytest.mark.thorough
def test_what_a_researcher_needs_is_told_whole(sandbox: Sandbox, problem: Problem) -> None:
    outcome = sandbox.run(f"{HEAD}    return x @ torch.zeros(17, 3)", problem, LIMITS)
    assert outcome.message == (
        "RuntimeError at line 4 of the method: mat1 and mat2 shapes cannot be multiplied (400x16 and 17x3)"
    )


@pytest.mark.thorough
def test_a_person_is_told_the_calls_and_what_was_printed(sandbox: Sandbox, problem: Problem) -> None:
    body = "print('epoch 1\\x1b[2J'); torch.nn.functional.linear(x, torch.zeros(3, 17))"
    outcome = sandbox.run(f"{HEAD}    {body}", problem, LIMITS)
    assert "called: method.py, line 4, in method" in outcome.said
    assert "printed: epoch 1" in outcome.said
    assert all(line.isprintable() for line in outcome.said.split("\n"))
    assert "epoch" not in outcome.message
    assert sandbox.run(f"{HEAD}    print('fine')\n    return torch.zeros(300)", problem, LIMITS).said == "printed: fine"


def test_noise_holds_nothing_of_a_problem() -> None:
    one, two = noise(make_problem(pairs=True)), noise(other())
    assert one.seed == two.seed
    for name in ("train_x", "weak", "test_x", "pairs"):
        np.testing.assert_array_equal(one[name], two[name])


def test_a_failure_that_noise_does_not_bring_about_is_cut() -> None:
    failed = Outcome(
        Status.INVALID, None, 1.0, "the method returned 17 values that are not finite, expected probabilities of ..."
    )
    fine = Outcome(Status.OK, np.zeros((3, 2)), 1.0)
    assert (
        told(failed, fine, "", PROBABILITIES.answer).message
        == "the method returned values that are not finite, expected probabilities"
    )
    forged = dataclasses.replace(failed, message="my data are 1.2 3.4")
    assert "1.2" not in told(forged, fine, "", PROBABILITIES.answer).message
