"""What a method sets for all of torch, numpy or Python changes neither its student nor how its answer is read."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest
from small_problem import LIMITS

from fitness.contracts.contract import Problem
from fitness.nouns import Status
from fitness.sandbox.sandbox import Sandbox

SET = {
    "default dtype": "torch.set_default_dtype(torch.float64)",
    "default dtype bfloat16": "torch.set_default_dtype(torch.bfloat16)",
    "default tensor type": "torch.set_default_tensor_type(torch.DoubleTensor)",
    "default device": "torch.set_default_device('meta')",
    "device context": "stack.enter_context(torch.device('meta'))",
    "autocast": "stack.enter_context(torch.autocast('cpu', dtype=torch.bfloat16))",
    "autocast without its context": "torch.set_autocast_enabled('cpu', True)",
    "inference mode": "stack.enter_context(torch.inference_mode())",
    "no grad": "stack.enter_context(torch.no_grad())",
    "grad mode": "torch.set_grad_enabled(False)",
    "thread count": "torch.set_num_threads(3)",
    "deterministic mode": "torch.use_deterministic_algorithms(True)",
    "deterministic warnings": "torch.set_deterministic_debug_mode('warn')",
    "flush denormal": "torch.set_flush_denormal(True)",
    "matmul precision": "torch.set_float32_matmul_precision('medium')",
    "matmul precision by backend": "torch.backends.mkldnn.matmul.fp32_precision = 'bf16'",
    "matmul precision of all": "torch.backends.fp32_precision = 'bf16'",
    "random state": "torch.manual_seed(5); torch.rand(3)",
    "detect anomaly": "torch.autograd.set_detect_anomaly(True)",
    "numpy's errors": "np.seterr(all='raise')",
    "print options": "np.set_printoptions(1); torch.set_printoptions(1)",
    "warnings as errors": "warnings.simplefilter('error')",
    "several at once": "torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False); warnings.simplefilter('error')",
}
HEAD = """
import contextlib, warnings
import numpy as np
import torch

def state():
    return (torch.get_default_dtype(), torch.get_default_device(), torch.is_autocast_enabled("cpu"), torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(), torch.get_num_threads(), torch.get_deterministic_debug_mode(), np.geterr(),
            torch.backends.mkldnn.matmul.fp32_precision, float(5e-324) == 0, len(warnings.filters), torch.is_anomaly_enabled())

def loss(logits, targets, weights, step):
    scale = torch.tensor([1.0, 2.0]) @ torch.ones(2)
    return -(targets * logits.log_softmax(1)).sum(1).mean() * scale
"""


def fitted(sandbox: Sandbox, problem: Problem, setting: str, arguments: str) -> np.ndarray:
    body = f"""
    def method(problem):
        with contextlib.ExitStack() as stack:
            {setting}
            before = state()
            predictor = problem.student.fit(problem.train_x, {arguments}, epochs=2)
            answer = predictor(problem.test_x)
            assert state() == before, (state(), before)
            return answer
    """
    outcome = sandbox.run(HEAD + textwrap.dedent(body), problem, LIMITS)
    assert outcome.predictions is not None, outcome.message
    return outcome.predictions


@pytest.mark.parametrize("setting", SET)
def test_the_student_does_not_obey_the_method_s_settings_which_stay(sandbox: Sandbox, problem: Problem, setting: str) -> None:
    for arguments in ("problem.weak", "problem.weak[:, 1], torch.ones(400, device='cpu'), loss=loss"):
        plain = fitted(sandbox, problem, "pass", arguments)
        assert np.array_equal(fitted(sandbox, problem, SET[setting], arguments), plain)


def test_a_setting_is_back_after_a_fit_that_failed(sandbox: Sandbox, problem: Problem) -> None:
    source = """
import torch
def method(problem):
    torch.set_default_dtype(torch.float64)
    try:
        problem.student.fit(problem.train_x, problem.weak[:9])
    except ValueError:
        assert torch.get_default_dtype() is torch.float64
        return torch.zeros(300)
"""
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message


@pytest.mark.parametrize("setting", ["np.seterr(all='raise')", "warnings.simplefilter('error')"])
def test_an_answer_is_read_whatever_the_method_made_of_errors(sandbox: Sandbox, problem: Problem, setting: str) -> None:
    source = f"import warnings\nimport numpy as np\ndef method(problem):\n    {setting}\n    return np.full(300, 1e-300)"
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message
