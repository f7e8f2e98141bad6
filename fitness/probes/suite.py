"""Holds a probe to its contract, on a small problem with known answers: for those whom others write (evolve.testing)."""

from __future__ import annotations

import numpy as np

from fitness.contracts.contract import Arrays, Problem
from fitness.contracts.probabilities import ACCURACY, PROBABILITIES
from fitness.contracts.probabilities import problem as weak_to_strong
from fitness.nouns import Finding, Outcome, Status, Verdict
from fitness.probes.examination import Case, Examination, Probe, Run
from fitness.vault.instance import Answers

ROWS, FEATURES = 800, 16


def check_probe(probe: Probe) -> None:
    """Hold a probe to its contract: it repeats, passes an honest method, blames none for our failures, and spares the problem.

    Raises AssertionError with a sentence.
    """
    case, lost = _case(), Outcome(Status.LOST, None, 0.1, "the machine went away")
    before = {name: array.copy() for name, array in case.problem.arrays.items()}
    first, again, thorough = (_found(probe, _honest, case, thorough) for thorough in (False, False, True))
    failed = next((finding for finding in (first, thorough) if finding.verdict is Verdict.FAILED), None)
    unlucky = _found(probe, lambda problem: lost, case, False)
    spared = all(np.array_equal(array, before[name]) for name, array in case.problem.arrays.items())
    for holds, sentence in (
        (probe.name.isidentifier() and probe.null, "a probe has a name, and says what holds for every honest method (null)"),
        (first.probe == probe.name and bool(first.sentence), f"{probe.name} says in a sentence what it measured"),
        (first == again, f"{probe.name} repeats: it draws from the generator of its examination alone"),
        (failed is None, f"{probe.name} fails an honest method: {failed and failed.sentence}"),
        (unlucky.verdict is not Verdict.FAILED, f"{probe.name} blames a method for a run that was lost by our fault"),
        (spared, f"{probe.name} leaves the problem as it is, and changes a copy"),
    ):
        if not holds:
            raise AssertionError(sentence)


def _found(probe: Probe, run: Run, case: Case, thorough: bool) -> Finding:
    return probe.find(Examination(run, case, np.random.default_rng(1), thorough))


def _case() -> Case:
    """Return a problem of two blurred clouds, of which the teacher sees one coordinate."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=2 * ROWS)
    x = (rng.standard_normal((2 * ROWS, FEATURES)) + 0.5 * (2 * truth[:, None] - 1)).astype(np.float32)
    said = 1 / (1 + np.exp(-2 * x[:, 0]))
    weak = np.stack([1 - said, said], 1).astype(np.float32)
    teacher = (said > 0.5).astype(np.int64)
    accuracy = float(np.mean(teacher[ROWS:] == truth[ROWS:]))
    problem = weak_to_strong(x[:ROWS], weak[:ROWS], x[ROWS:], seed=7)
    private: Arrays = {"test_y": truth[ROWS:], "teacher": weak[ROWS:]}
    return Case(problem, Answers(PROBABILITIES, ACCURACY, private, accuracy, 0.98, {"n_test": np.arange(ROWS)}), None)


def _honest(problem: Problem) -> Outcome:
    """Follow the mean difference of what the teacher calls the two classes."""
    train_x, said, test_x = problem["train_x"], problem["weak"][:, 1], problem["test_x"]
    pull = (said - said.mean()) @ train_x
    p = 1 / (1 + np.exp(-(test_x - train_x.mean(0)) @ pull / np.linalg.norm(pull)))
    return Outcome(Status.OK, np.stack([1 - p, p], 1).astype(np.float32), 0.1)
