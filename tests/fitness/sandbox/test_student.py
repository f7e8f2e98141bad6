"""The default student that methods are handed, inside the sandbox."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest
from small_problem import LIMITS

from fitness.contracts.contract import Problem
from fitness.nouns import Outcome
from fitness.sandbox.sandbox import Sandbox


def run(sandbox: Sandbox, problem: Problem, body: str) -> Outcome:
    head = "import torch\ndef method(problem):\n    x, test, fit = problem.train_x, problem.test_x, problem.student.fit\n"
    outcome = sandbox.run(head + textwrap.indent(textwrap.dedent(body), "    "), problem, LIMITS)
    assert outcome.predictions is not None, outcome.message
    return outcome


@pytest.mark.parametrize("hidden", [0, 64])
@pytest.mark.parametrize("targets", ["weak", "weak.argmax(1)", "weak[:, 1]", "weak[:, 1] > 0.5"])
def test_it_learns_from_targets_of_every_form(sandbox: Sandbox, problem: Problem, targets: str, hidden: int) -> None:
    rate = 3e-3 if hidden else 3e-2
    outcome = run(sandbox, problem, f"return fit(x, problem.{targets}, hidden={hidden}, epochs=30, lr={rate})(test)")
    assert outcome.predictions is not None
    accuracy = (outcome.predictions.argmax(1) == (problem["test_x"][:, 0] > 0)).mean()
    assert accuracy > 0.75


def test_weights_of_zero_hide_examples(sandbox: Sandbox, problem: Problem) -> None:
    body = """
    right = (x[:, 0] > 0).long()
    keep = torch.arange(len(x)) % 2 == 0
    targets = torch.where(keep, right, 1 - right)
    return fit(x, targets, keep.float(), hidden=0, epochs=60, lr=0.03)(test)
    """
    outcome = run(sandbox, problem, body)
    assert outcome.predictions is not None
    assert (outcome.predictions.argmax(1) == (problem["test_x"][:, 0] > 0)).mean() > 0.85


def test_a_loss_sees_logits_targets_weights_and_the_step(sandbox: Sandbox, problem: Problem) -> None:
    body = """
    seen = []
    def loss(logits, targets, weights, step):
        assert logits.shape == targets.shape == (100, 2) and targets.dtype == torch.float32
        assert (weights is None) == (not weighted) and (weights is None or weights.shape == (100,))
        seen.append(step)
        return -(targets * logits.log_softmax(1)).sum(1).mean()
    for weighted in (False, True):
        weights = torch.ones(400) if weighted else None
        p = fit(x, problem.weak[:, 1], weights, loss=loss, batch=100, epochs=3)(test)
    assert seen == [*range(12)] * 2
    assert p.shape == (300, 2) and p.dtype == torch.float32 and not p.requires_grad
    return p
    """
    run(sandbox, problem, body)


def test_its_own_loss_is_the_soft_cross_entropy(sandbox: Sandbox, problem: Problem) -> None:
    body = """
    def loss(logits, targets, weights, step):
        return -(targets * logits.log_softmax(1)).sum(1).mean()
    torch.manual_seed(0)
    own = fit(x, problem.weak, epochs=2)(test)
    Student = type(problem.student)
    again = Student(problem.seed, 2).fit(x, problem.weak, epochs=2, loss=loss)(test)
    assert torch.allclose(own, again, atol=1e-4), (own - again).abs().max()
    return own
    """
    run(sandbox, problem, body)


def test_two_fits_of_one_trial_differ(sandbox: Sandbox, problem: Problem) -> None:
    first = run(sandbox, problem, "return fit(x, problem.weak)(test)")
    second = run(sandbox, problem, "fit(x, problem.weak)\nreturn fit(x, problem.weak)(test)")
    assert not np.array_equal(first.predictions, second.predictions)  # type: ignore[arg-type]  # both are arrays: run() says so


def test_it_trains_even_where_gradients_are_off(sandbox: Sandbox, problem: Problem) -> None:
    run(sandbox, problem, "with torch.no_grad():\n    return fit(x, problem.weak)(test)")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("fit(x, problem.weak[:9])", "targets have shape (9, 2), expected (400,) or (400, 2)"),
        ("fit(x, problem.weak, torch.ones(3))", "weights have shape (3,), expected (400,)"),
        ("fit(x, problem.weak, lr=-0.1)", "lr and weight_decay must be at least 0, got -0.1 and 0.0001"),
        ("fit(x, problem.weak, weight_decay=float('nan'))", "lr and weight_decay must be at least 0, got 0.003 and nan"),
    ],
)
def test_wrong_shapes_and_settings_are_named(sandbox: Sandbox, problem: Problem, call: str, sentence: str) -> None:
    source = f"import torch\ndef method(problem):\n    x, fit = problem.train_x, problem.student.fit\n    {call}\n"
    assert sentence in sandbox.run(source, problem, LIMITS).message


def test_its_steps_are_those_of_adamw() -> None:
    import torch

    from fitness.sandbox.inside.student import Head, _descent

    head = Head(6, 4, 2, torch.Generator().manual_seed(1), torch.device("cpu"))
    twin = head.parameters.clone().requires_grad_()
    optimizer, descend = torch.optim.AdamW([twin], lr=1.0, weight_decay=0.1), _descent(head, 0.1)
    for step in range(5):
        head.gradient.copy_(torch.randn(len(twin), generator=torch.Generator().manual_seed(step)))
        twin.grad, optimizer.param_groups[0]["lr"] = head.gradient.clone(), 0.1 / (step + 1)
        optimizer.step()
        descend(0.1 / (step + 1))
    assert torch.allclose(head.parameters, twin.detach(), atol=1e-6)
