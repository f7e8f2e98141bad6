"""Defines the grammar of methods: kinds of step, their order and signatures, and the `method` that calls a file's steps.

A file in the grammar defines some of these functions (always `head`), what helpers, constants and imports they need, and the
`method` that `pipeline` writes for them. A kind that is absent is the identity, so any step of one file fits into any other.

`beliefs` are class probabilities, (n, n_classes): the teacher's at first, the last student's in later rounds. A predictor maps
(n, d) rows to (n, n_classes) probabilities.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of step.

    Attributes:
        name: the function's name.
        parameters: its parameters, in order.
        identity: the body that does nothing, as one return statement; empty where there is none.
        about: what it does.
    """

    name: str
    parameters: tuple[str, ...]
    identity: str
    about: str


KINDS = (
    Kind("represent", ("train_x", "test_x"), "return train_x, test_x", "features: fitted on train_x, applied row by row"),
    Kind("select", ("beliefs",), "", "indices of the rows to train on, in every round"),
    Kind("weigh", ("beliefs",), "return None", "a weight for each selected row"),
    Kind("shape", ("beliefs",), "return beliefs", "targets from beliefs: harden, sharpen, balance"),
    Kind("loss", ("logits", "targets", "weights", "step"), "", "a scalar, for heads that are trained by gradient"),
    Kind("head", ("problem", "x", "targets", "weights", "loss"), "", "fit a classifier; returns its predictor"),
    Kind("ensemble", ("head",), "return head", "a head made of heads"),
    Kind("rounds", ("learn", "train", "beliefs"), "return learn(beliefs)", "learn(beliefs) -> predictor, again and again"),
    Kind("finish", ("probabilities", "reference"), "return probabilities", "post-process, given the predictions on train"),
)
ORDER = tuple(kind.name for kind in KINDS)
BY_NAME = {kind.name: kind for kind in KINDS}
RESERVED = frozenset({*ORDER, "method"})


def pipeline(present: Collection[str]) -> str:
    """Return the source of `method` for a file that has these kinds of step; `head` must be among them."""
    at = "[rows]" if "select" in present else ""
    lines = ["train, test = represent(problem.train_x, problem.test_x)"]
    if "represent" not in present:
        lines = ["train, test = problem.train_x, problem.test_x"]
    steps, fit = _learn(present, at)
    if "rounds" in present:
        lines += ["", "def learn(beliefs):", *(f"    {line}" for line in steps), f"    return {fit}", ""]
        lines.append("predictor = rounds(learn, train, problem.weak)")
    else:
        lines += ["beliefs = problem.weak", *steps, f"predictor = {fit}"]
    last = "finish(predictor(test), predictor(train))" if "finish" in present else "predictor(test)"
    body = "\n".join(f"    {line}" if line else "" for line in [*lines, f"return {last}"])
    return f"def method(problem):\n{body}"


def _learn(present: Collection[str], at: str) -> tuple[list[str], str]:
    """Return the statements that lead from beliefs to the fit, and the call that fits."""
    steps = []
    if "select" in present:
        steps.append("rows = select(beliefs)")
    if "weigh" in present:
        steps.append(f"weights = weigh(beliefs{at})")
    if "shape" in present:
        steps.append(f"targets = shape(beliefs{at})")
    arguments = ["problem", f"train{at}", "targets" if "shape" in present else f"beliefs{at}"]
    arguments += ["weights"] if "weigh" in present else []
    arguments += ["loss=loss"] if "loss" in present else []
    fitter = "ensemble(head)" if "ensemble" in present else "head"
    return steps, f"{fitter}({', '.join(arguments)})"
