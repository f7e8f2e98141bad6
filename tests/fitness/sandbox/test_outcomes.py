"""What a method does, and the status it gets for it, at every level this machine reaches."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from small_problem import LIMITS

from fitness.contracts.contract import Problem
from fitness.nouns import Limits, Outcome, Status
from fitness.sandbox import sandbox as client
from fitness.sandbox.sandbox import Sandbox
from fitness.sandbox.transfer import Request, Sheet, pack


def run(sandbox: Sandbox, problem: Problem, source: str, limits: Limits = LIMITS) -> Outcome:
    return sandbox.run(textwrap.dedent(source), problem, limits)


def returning(expression: str) -> str:
    return f"import numpy as np, torch\ndef method(problem):\n    n = len(problem.test_x)\n    return {expression}\n"


@pytest.mark.parametrize(
    "expression",
    [
        "torch.full((n,), 0.75)",
        "torch.full((n, 2), 0.75) - torch.tensor([0.5, 0.0])",
        "np.full(n, 0.75)",
        "torch.full((n,), 0.75, dtype=torch.bfloat16)",
        "torch.full((n,), 0.75, requires_grad=True)",
        "np.full((2, n), [[0.25], [0.75]]).T",
    ],
)
def test_probabilities_of_any_form_come_back_as_floats(sandbox: Sandbox, problem: Problem, expression: str) -> None:
    outcome = run(sandbox, problem, returning(expression))
    assert outcome.status is Status.OK, outcome.message
    assert outcome.predictions is not None
    assert outcome.predictions.dtype == np.float32
    np.testing.assert_array_equal(outcome.predictions, np.tile(np.float32([0.25, 0.75]), (300, 1)))


def test_one_and_a_half_rounding_errors_are_forgiven_and_clipped(sandbox: Sandbox, problem: Problem) -> None:
    outcome = run(sandbox, problem, returning("torch.full((n,), 1 + 1e-6)"))
    assert outcome.predictions is not None
    assert outcome.predictions.max() == 1.0


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("None", "returned NoneType, expected a tensor or an array of shape (300,) P(y = 1) or (300, 2)"),
        ("'yes'", "returned str"),
        ("[0.5] * n", "returned list"),
        ("torch.zeros(n + 1)", "returned shape (301,), expected (300,) P(y = 1) or (300, 2)"),
        ("torch.zeros(n, 3)", "returned shape (300, 3)"),
        ("torch.zeros(())", "returned shape ()"),
        ("torch.full((n,), float('nan'))", "300 values that are not finite"),
        ("np.full(n, np.inf)", "300 values that are not finite"),
        ("torch.full((n,), 1.01)", "values from 1.01 to 1.01"),
        ("torch.full((n,), -0.1)", "values from -0.1 to -0.1"),
        ("torch.zeros(n, dtype=torch.complex64)", "complex"),
        ("np.array(['x'] * n)", "an array of <U1"),
        ("np.array([{}] * n)", "an array of object"),
    ],
)
def test_what_is_not_probabilities_is_invalid(sandbox: Sandbox, problem: Problem, expression: str, sentence: str) -> None:
    outcome = run(sandbox, problem, returning(expression))
    assert (outcome.status, outcome.predictions) == (Status.INVALID, None)
    assert sentence in outcome.message


@pytest.mark.parametrize(
    ("source", "status", "sentence"),
    [
        ("def method(problem:\n", Status.INVALID, "does not compile"),
        ("def other(problem): pass", Status.INVALID, "no function named method"),
        (
            "def method(problem):\n    x = 1\n    raise KeyError('who')",
            Status.CRASHED,
            "KeyError at line 3 of the method: 'who'",
        ),
        ("import sys\ndef method(problem): sys.exit(0)", Status.CRASHED, "SystemExit at line 2 of the method: 0"),
        ("import os\ndef method(problem): os._exit(0)", Status.CRASHED, "exited before it returned"),
        ("import os\ndef method(problem): os._exit(5)", Status.CRASHED, "exited with status 5"),
        ("import ctypes\ndef method(problem): ctypes.string_at(0)", Status.CRASHED, "SIGSEGV"),
        ("def method(problem): raise KeyboardInterrupt", Status.CRASHED, "KeyboardInterrupt at line 1"),
        ("def method(problem): return method(problem)", Status.CRASHED, "RecursionError"),
        ("def method(problem):\n    class E(Exception):\n        __str__ = None\n    raise E", Status.CRASHED, "E at line 4"),
        ("def method(problem): bytearray(8 << 30)", Status.OUT_OF_MEMORY, "MemoryError at line 1"),
        ("import torch\ndef method(problem): torch.ones(8 << 30)", Status.OUT_OF_MEMORY, "allocate memory"),
        ("import numpy\ndef method(problem): numpy.ones(8 << 30)", Status.OUT_OF_MEMORY, "MemoryError"),
        ("def method(problem):\n    x = []\n    while True: x.append(bytes(1 << 20))", Status.OUT_OF_MEMORY, "line 3"),
        ("import mmap\ndef method(problem): mmap.mmap(-1, 8 << 30)", Status.OUT_OF_MEMORY, "Cannot allocate memory"),
        ("def method(problem):\n    while True: print('x' * 999)", Status.VIOLATION, "printed more than 65536 bytes"),
        (
            "import os\ndef method(problem):\n    while True: os.write(2, b'x' * 999)",
            Status.VIOLATION,
            "printed more than 65536",
        ),
    ],
)
def test_bad_ends(sandbox: Sandbox, problem: Problem, source: str, status: Status, sentence: str) -> None:
    outcome = run(sandbox, problem, source)
    assert (outcome.status, outcome.predictions) == (status, None), outcome.message
    assert sentence in outcome.message


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "import signal\n    for s in {*range(1, 32)} - {9, 19}: signal.signal(s, signal.SIG_IGN)\n    while True: pass",
        "import torch\n    while True:\n        try: torch.ones(9).sum()\n        except BaseException: pass",
        "import time\n    time.sleep(600)",
    ],
)
def test_an_endless_method_is_stopped_from_outside(sandbox: Sandbox, problem: Problem, loop: str) -> None:
    outcome = run(sandbox, problem, f"def method(problem):\n    {loop}", dataclasses.replace(LIMITS, seconds=0.3))
    assert (outcome.status, outcome.message) == (Status.TIMED_OUT, "the method ran longer than 0.3 s")
    assert outcome.seconds >= 0.3


def test_messages_are_one_capped_line_of_printable_text(sandbox: Sandbox, problem: Problem) -> None:
    outcome = run(sandbox, problem, "def method(problem): raise ValueError('\\x1b[2J\\n' + 'é' * 10**6)")
    assert outcome.status is Status.CRASHED
    assert outcome.message.isprintable()
    assert len(outcome.message) <= 600


CROWD = """
import os, threading
def method(problem):
    threading.stack_size(32 << 10)
    done = threading.Event()
    {what}
    while True: pass
"""


def test_too_many_threads_are_seen_from_outside(sandbox: Sandbox, problem: Problem) -> None:
    crowd = "for _ in range(300): threading.Thread(target=done.wait).start()"
    outcome = run(sandbox, problem, CROWD.format(what=crowd))
    assert (outcome.status, outcome.message) == (Status.VIOLATION, "the method had more than 256 threads")
    few = "for _ in range(200): threading.Thread(target=done.wait).start()"
    outcome = run(sandbox, problem, CROWD.format(what=few), dataclasses.replace(LIMITS, seconds=0.5))
    assert outcome.status is Status.TIMED_OUT, outcome.message


def test_printing_all_the_time_does_not_hide_threads(sandbox: Sandbox, problem: Problem) -> None:
    crowd = (
        "for _ in range(300): threading.Thread(target=done.wait).start(); os.write(1, b'.')\n    while True: os.write(1, b'.')"
    )
    outcome = run(sandbox, problem, CROWD.format(what=crowd), dataclasses.replace(LIMITS, output=1 << 30))
    assert (outcome.status, outcome.message) == (Status.VIOLATION, "the method had more than 256 threads")


def test_limits_cannot_be_changed_inside_so_that_the_kernel_would_take_the_blame(sandbox: Sandbox, problem: Problem) -> None:
    source = "import resource\ndef method(problem):\n    resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\n    while True: pass"
    outcome = run(sandbox, problem, source)
    assert outcome.status is Status.CRASHED, outcome.message


def test_processor_time_that_is_used_up_is_the_methods_fault(
    sandbox: Sandbox, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*arguments: Any) -> tuple[Sheet, Request]:
        sheet, request = pack(*arguments)
        return sheet, dataclasses.replace(request, cpu_seconds=1)

    monkeypatch.setattr(client, "pack", short)
    outcome = run(sandbox, problem, "def method(problem):\n    while True: pass")
    assert (outcome.status, outcome.message) == (Status.TIMED_OUT, "the method used up its processor time")


WRITE_EVERYWHERE = """
import os
def method(problem):
    for descriptor in range(256):
        try:
            os.write(descriptor, {payload})
        except OSError:
            pass
    {end}
    import torch
    return torch.zeros(len(problem.test_x))
"""


@pytest.mark.parametrize(
    "payload", ["b'x'", "b'P'", "b'P' + bytes(1024) + bytes(300 * 8)", "b'P' + bytes(300 * 8 - 1)", "bytes(40000)", "b'I no'"]
)
def test_extra_bytes_on_every_descriptor_are_a_violation(sandbox: Sandbox, problem: Problem, payload: str) -> None:
    outcome = run(sandbox, problem, WRITE_EVERYWHERE.format(payload=payload, end=""))
    assert (outcome.status, outcome.predictions) == (Status.VIOLATION, None), outcome.message


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ("b'P' + bytes(1024) + bytes(300 * 8)", Status.OK),  # a forged answer is an answer: wrong, or right by luck
        ("b'P' + bytes(1024) + bytes(300 * 4)", Status.CRASHED),
        ("b'P' + bytes(1024) + b'\\xff' * (300 * 8)", Status.INVALID),  # NaN: the trusted side looks for itself
        ("b'P' + bytes(1024) + b'\\x00\\x00\\x00\\x40' * 600", Status.INVALID),  # 2.0
        ("b'X' + bytes(16)", Status.VIOLATION),
        ("b'R'", Status.VIOLATION),
    ],
)
def test_a_forged_stream_is_at_most_a_wrong_prediction(
    sandbox: Sandbox, problem: Problem, payload: str, status: Status
) -> None:
    outcome = run(sandbox, problem, WRITE_EVERYWHERE.format(payload=payload, end="os._exit(0)"))
    assert outcome.status is status, outcome.message
    assert (outcome.predictions is not None) == (status is Status.OK)


@pytest.mark.parametrize("end", ["os._exit(5)", "os.closerange(0, 256)\n    while True: pass"])
def test_after_a_whole_answer_on_closed_pipes_nothing_counts_any_more(sandbox: Sandbox, problem: Problem, end: str) -> None:
    outcome = run(sandbox, problem, WRITE_EVERYWHERE.format(payload="b'P' + bytes(1024) + bytes(300 * 8)", end=end))
    assert outcome.status is Status.OK, outcome.message


def test_nothing_a_method_does_looks_like_our_fault(sandbox: Sandbox, problem: Problem) -> None:
    for status in (97, 1, 255):
        assert run(sandbox, problem, f"import os\nos._exit({status})").status is Status.CRASHED


def test_closing_every_descriptor_is_the_methods_own_loss(sandbox: Sandbox, problem: Problem) -> None:
    source = "import os, torch\ndef method(problem):\n    os.closerange(0, 256)\n    return torch.zeros(300)"
    assert run(sandbox, problem, source).status is Status.CRASHED


def test_inputs_may_be_edited_in_place(sandbox: Sandbox, problem: Problem) -> None:
    before = problem["train_x"].copy()
    source = """
    def method(problem):
        for x in (problem.train_x, problem.weak, problem.test_x, problem.pairs):
            x -= x
        return problem.test_x[:, 0]
    """
    assert run(sandbox, problem, source).status is Status.OK
    np.testing.assert_array_equal(problem["train_x"], before)


def test_the_problem_is_the_one_of_the_contract(sandbox: Sandbox, problem: Problem) -> None:
    source = """
    import torch
    def method(problem):
        assert problem.train_x.shape == (400, 16) and problem.train_x.dtype == torch.float32
        assert problem.weak.shape == (400, 2) and problem.weak.dtype == torch.float32
        assert problem.test_x.shape == (300, 16) and problem.test_x.dtype == torch.float32
        assert problem.seed == 7 and type(problem.seed) is int and problem.n_classes == 2
        assert problem.device == torch.device("cpu") == problem.train_x.device
        given = None if problem.pairs is None else (tuple(problem.pairs.shape), problem.pairs.dtype)
        assert given in (None, ((30, 2), torch.int64))
        assert torch.get_num_threads() == 1
        return torch.tensor([float(problem.pairs is None)]).expand(300)
    """
    without = dataclasses.replace(problem, arrays={name: problem[name] for name in ("train_x", "weak", "test_x")})
    for one in (problem, without):
        outcome = run(sandbox, one, source)
        assert outcome.predictions is not None, outcome.message
        assert outcome.predictions[0, 1] == float(one is without)


def test_arrays_arrive_as_they_were_sent(sandbox: Sandbox, problem: Problem) -> None:
    odd = problem.changed({"test_x": np.asfortranarray(problem["test_x"])[::-1]}, seed=2**63 + 11)
    outcome = run(sandbox, odd, "def method(problem): return problem.test_x[:, 3].sigmoid()")
    assert outcome.predictions is not None, outcome.message
    np.testing.assert_allclose(outcome.predictions[:, 1], 1 / (1 + np.exp(-odd["test_x"][:, 3])), rtol=1e-5)


def test_three_classes(sandbox: Sandbox, problem: Problem) -> None:
    three = problem.changed({"weak": np.full((400, 3), 1 / 3, np.float32)})
    outcome = run(sandbox, three, "def method(p): return p.student.fit(p.train_x, p.weak, epochs=1)(p.test_x)")
    assert outcome.predictions is not None, outcome.message
    assert outcome.predictions.shape == (300, 3)
    assert run(sandbox, three, returning("torch.zeros(n)")).status is Status.INVALID


def test_nothing_carries_over_from_trial_to_trial(sandbox: Sandbox, problem: Problem) -> None:
    source = """
    import builtins, os, sys, torch
    def method(problem):
        seen = hasattr(builtins, "mark") or hasattr(torch, "mark") or "MARK" in os.environ or "mark" in sys.modules
        builtins.mark = torch.mark = True
        os.environ["MARK"] = "1"
        sys.modules["mark"] = sys
        return torch.full((300,), float(seen))
    """
    for _ in range(2):
        outcome = run(sandbox, problem, source)
        assert outcome.predictions is not None, outcome.message
        assert outcome.predictions[0, 1] == 0.0


UNSEEDED = """
import random
import numpy as np, torch
from sklearn.linear_model import LogisticRegression
def method(problem):
    p = problem.student.fit(problem.train_x, problem.weak[:, 1])(problem.test_x)[:, 1]
    order = sorted({str(i) for i in range(50)}, key=lambda s: 0)
    noise = torch.rand(300) + np.random.rand(300) + random.random() + int(order[0])
    skl = LogisticRegression().fit(problem.train_x, problem.weak.argmax(1)).predict_proba(problem.test_x)[:, 1]
    return ((p + noise + torch.from_numpy(skl)) / 60).clamp(0, 1)
"""


def test_the_same_seed_gives_the_same_predictions_in_every_zygote(
    sandbox: Sandbox, sandboxes: Mapping[str, Sandbox], problem: Problem
) -> None:
    outcomes = [run(s, problem, UNSEEDED) for s in (sandbox, *sandboxes.values())]
    reseeded = run(sandbox, problem.changed(seed=8), UNSEEDED)
    first, *rest = [outcome.predictions for outcome in outcomes]
    assert first is not None, outcomes[0].message
    for again in rest:
        np.testing.assert_array_equal(first, again)
    assert reseeded.predictions is not None
    assert not np.array_equal(first, reseeded.predictions)


def test_many_threads_may_ask_at_once(sandbox: Sandbox, problem: Problem) -> None:
    def one(value: int) -> float:
        outcome = run(sandbox, problem, returning(f"torch.full((n,), {value / 10})"))
        assert outcome.predictions is not None, outcome.message
        return float(outcome.predictions[0, 1])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(10))) == pytest.approx([v / 10 for v in range(10)])
