"""What an honest method may use works behind the walls: every public estimator and solver of the allowed libraries.

The calls are in libraries/*_calls.py. Many run in one trial, which answers in its predictions: what each raised.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import all_estimators
from small_problem import make_problem

from fitness.contracts.contract import Problem
from fitness.nouns import Limits, Outcome, Status
from fitness.sandbox import UNAVAILABLE
from fitness.sandbox.sandbox import Sandbox
from tests.support.weak_to_strong import problem_of

CALLS = Path(__file__).parent / "libraries"
ROOM = 60_000  # bytes of an answer
ANSWER = """
import json
import warnings
import torch

def method(problem):
    warnings.simplefilter("ignore")
    failed = {"called": 0}
    for name, call in calls(problem.train_x[:100].clone(), problem.weak[:100].argmax(1)).items():
        torch.manual_seed(0)
        failed["called"] += 1
        try:
            call()
        except BaseException as error:
            failed[name] = f"{type(error).__name__}: {error}"[:200]
    text = json.dumps(failed).encode()
    answer = torch.zeros(len(problem.test_x))
    answer[: len(text)] = torch.tensor(list(text)).float() / 255
    return answer
"""


def failed(sandbox: Sandbox, source: str) -> dict[str, str]:
    """Run the calls that a source defines; return what they raised, by name, and how many there were."""
    small = make_problem()
    problem = problem_of(small["train_x"], small["weak"], np.zeros((ROOM, 16), np.float32), seed=7)
    outcome = sandbox.run(source + ANSWER, problem, Limits(seconds=200.0, memory=4 << 30))
    assert outcome.predictions is not None, outcome.message
    text = bytes(np.rint(outcome.predictions[:, 1] * 255).astype(np.uint8)).rstrip(b"\0")
    found: dict[str, str] = json.loads(text)
    return found


@pytest.mark.thorough
@pytest.mark.parametrize(("library", "least"), [("sklearn", 200), ("scipy", 300), ("torch", 350)])
def test_every_public_estimator_and_solver_works_behind_the_walls(sandbox: Sandbox, library: str, least: int) -> None:
    source = (CALLS / f"{library}_calls.py").read_text()
    if library == "sklearn":
        source += f"\nESTIMATORS = {[(name, kind.__module__) for name, kind in all_estimators()]!r}\n"
    found = failed(sandbox, source)
    assert int(found.pop("called")) > least
    assert not found


def fits(sandbox: Sandbox, problem: Problem, estimator: str) -> Outcome:
    module, name = estimator.rsplit(".", 1)
    source = f"""
import torch
from sklearn.{module} import {name}
def method(problem):
    {name}().fit(problem.train_x[:60].double(), problem.weak[:60].argmax(1))
    return torch.zeros(len(problem.test_x))
"""
    return sandbox.run(source, problem, Limits(seconds=30.0))


@pytest.mark.parametrize(
    "estimator",
    ["cluster.KMeans", "cluster.BisectingKMeans", "mixture.GaussianMixture", "neighbors.KNeighborsClassifier", "manifold.TSNE"],
)
def test_estimators_that_look_for_their_blas_find_it_behind_the_walls(
    sandbox: Sandbox, problem: Problem, estimator: str
) -> None:
    outcome = fits(sandbox, problem, estimator)
    assert outcome.status is Status.OK, outcome.message


@pytest.mark.thorough
def test_whatever_is_listed_as_unavailable_fails_behind_the_walls(sandbox: Sandbox, level: str) -> None:
    found = failed(sandbox, (CALLS / "unavailable_calls.py").read_text())
    found.pop("called")
    hidden = {"sklearn.utils.all_estimators"} if level == "A" else set()  # it finds an empty folder there
    assert set(found) == set(UNAVAILABLE) - hidden
