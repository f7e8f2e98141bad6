"""Derived probes on instances that lack optional arrays, and on arrays of strings: what is not there is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from fitness import pgr
from fitness.contracts.arranging import encoded
from fitness.contracts.contract import Answer, Array, Arrays, Contract, Problem
from fitness.contracts.symmetries import Symmetry, apart, exchange, needs, permute, rename, turn
from fitness.nouns import Finding, Outcome, Score, Status, Verdict
from fitness.probes.examination import Case
from fitness.probes.probes import examine
from fitness.tasks.calling import strings
from fitness.vault.instance import Answers

N, M = 60, 40
ARRAYS = (
    Array("said", "n", "text"),
    Array("y", "n", "bool"),
    Array("who", "n", "int64", optional=True, values="k"),
    Array("extra", "m q", "float64", optional=True),
    Array("notes", "m", "text", optional=True),
    Array("asked", "m", "text"),
)
OPTIONAL = (turn("extra"), needs("extra"), needs("notes"), permute("q"), exchange("q"), rename("k"))


class Share:
    """Scores by the share of questions that are answered rightly."""

    def score(self, answer: np.ndarray, private: Arrays, floor: float, ceiling: float) -> Score:
        return pgr.recovered(float(np.mean((answer > 0.5) == private["truth"])), floor, ceiling, len(answer))

    def behaviour(self, answer: np.ndarray, public: object, private: Arrays) -> dict[str, float]:
        return {}


def case(symmetries: tuple[Symmetry, ...], full: bool) -> Case:
    """Strings that are true when they have more of one letter; annotators and numbers beside them, or not."""
    rng = np.random.default_rng(0)
    said, asked = (["".join(rng.choice(list("abé"), 9)) for _ in range(count)] for count in (N, M))
    y, truth = (np.array([text.count("a") > 3 for text in texts]) for texts in (said, asked))
    arrays = encoded("said", said) | encoded("asked", asked) | {"y": y}
    if full:
        arrays |= {"who": rng.integers(0, 5, N), "extra": rng.standard_normal((M, 2))} | encoded("notes", asked)
    contract = Contract(ARRAYS, Answer("m"), symmetries=symmetries, probes=tuple(symmetry.name for symmetry in symmetries))
    problem = Problem(contract, arrays, 3)
    return Case(problem, Answers(contract, Share(), {"truth": truth}, 0.5, 1.0, {}), None)


def counting(problem: Problem) -> Outcome:
    """Learn how many of a letter make a true string."""
    given = strings(problem.arrays)
    counts = [np.array([text.count("a") for text in given[name]]) for name in ("said", "asked")]
    worth = [np.mean((counts[0] >= least) == problem["y"]) for least in range(9)]
    return Outcome(Status.OK, (counts[1] >= np.argmax(worth)).astype(np.float32), 0.01)


def found(symmetries: tuple[Symmetry, ...], full: bool, thorough: bool = True) -> dict[str, Finding]:
    findings = examine(counting, case(symmetries, full), np.random.default_rng(1), thorough)
    return {finding.probe: finding for finding in findings}


@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize("symmetry", OPTIONAL, ids=lambda symmetry: symmetry.name)
def test_a_symmetry_of_what_an_instance_lacks_says_nothing(symmetry: Symmetry, thorough: bool) -> None:
    finding = found((symmetry,), False, thorough)[symmetry.name]
    assert (finding.verdict, finding.sentence) == (Verdict.SKIPPED, f"this instance has no {symmetry.of}")


@pytest.mark.parametrize("symmetry", OPTIONAL, ids=lambda symmetry: symmetry.name)
def test_it_is_probed_where_the_instance_has_it(symmetry: Symmetry) -> None:
    finding = found((symmetry,), True)[symmetry.name]
    assert finding.verdict is (Verdict.FAILED if symmetry.kind == "needs" else Verdict.PASSED), finding.sentence


@pytest.mark.parametrize("full", [False, True])
def test_rows_are_shown_apart_whichever_of_their_arrays_are_there(full: bool) -> None:
    findings = found((apart("m"), permute("n")), full)
    assert {name: str(finding.verdict) for name, finding in findings.items()} == {"apart_m": "PASSED", "permute_n": "PASSED"}


@pytest.mark.parametrize("name", ["said", "y", "asked"])
def test_strings_are_shuffled_as_strings(name: str) -> None:
    """A method that counts letters lives on the strings that it is told of, on what is said of them, and on those asked."""
    finding = found((needs(name),), False)[f"needs_{name}"]
    assert finding.verdict is Verdict.PASSED, finding.sentence
