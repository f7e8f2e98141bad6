"""The probes on a small problem, with methods that run in this process: what each fails, what it lets pass, what it costs."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fitness import tasks
from fitness.contracts.arranging import show
from fitness.contracts.contract import Problem
from fitness.contracts.probabilities import PROBABILITIES
from fitness.judge import Judge
from fitness.nouns import Finding, Limits, Outcome, Status, Verdict
from fitness.probes.derived import MOVED, UNSTABLE
from fitness.probes.examination import Case, Examination, Probe, Reading, Run
from fitness.probes.frame import halves, turned
from fitness.probes.probes import chosen, examine
from fitness.probes.suite import check_probe
from fitness.registry import UsageError
from fitness.vault.vault import Vault
from tests.support.weak_to_strong import answers_of, problem_of

N, D = 1000, 60
SPREADS = 1.25 ** -np.minimum(np.arange(D), 8)  # of the components
PASSED, FAILED, SKIPPED = Verdict.PASSED, Verdict.FAILED, Verdict.SKIPPED
NAMES = ["determinism", "constant", "rows", "swap", "frame", "shuffle", "canary"]
QUICK = 6  # runs of an examination without suspicion: reference, rows twice, swap, two shuffles

Method = Callable[[Problem], np.ndarray]  # a problem -> (n_test,) scores, above 0 for class 1


def draw(seed: int) -> tuple[Problem, np.ndarray]:
    """Return a problem and the truth of its test rows, which is in the third and the fifth component.

    The teacher follows the first one too. Components are skewed; the two that matter are not correlated, so the truth is no
    component by itself.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=2 * N)
    components = rng.exponential(size=(2 * N, D)) - 1
    components[:, 4] = 0.83 * components[:, 4] - 0.56 * components[:, 2]
    components[:, [2, 4]] = 0.8 * components[:, [2, 4]] + 0.6 * (2 * truth[:, None] - 1)
    said = 2 * truth - 1 + 1.2 * components[:, 0] + rng.standard_normal(2 * N) > 0
    x = components * SPREADS @ np.linalg.qr(rng.standard_normal((D, D)))[0]
    x = (2 * x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    weak = (0.2 + 0.6 * np.stack([~said[:N], said[:N]], 1)).astype(np.float32)
    return problem_of(x[:N], weak, x[N:], np.arange(20).reshape(10, 2), seed=7), truth[N:]


PROBLEM, TRUTH = draw(0)
EDGES = (0.6, 0.95)  # accuracies of the teacher and of the ceiling
ANSWERS = answers_of(np.arange(N), TRUTH, np.zeros(N, np.int64), *EDGES)
PROBES = chosen(PROBABILITIES)


class Stopped(Exception):
    """The end of a run that brings no answers."""

    def __init__(self, status: Status, message: str = "something happened") -> None:
        self.outcome = Outcome(status, None, 0.1, message)


@dataclass
class Counted:
    """Runs a method in this process and keeps the problems it was given; ends the run numbered `ends` with `ending`."""

    method: Method
    ends: int = -1
    ending: Stopped = field(default_factory=lambda: Stopped(Status.LOST))
    problems: list[Problem] = field(default_factory=list)

    def __call__(self, problem: Problem) -> Outcome:
        self.problems.append(problem)
        if len(self.problems) - 1 == self.ends:
            return self.ending.outcome
        try:
            p = 1 / (1 + np.exp(-np.clip(self.method(problem), -30, 30)))
        except Stopped as stopped:
            return stopped.outcome
        return Outcome(Status.OK, np.stack([1 - p, p], 1).astype(np.float32), 0.1)


def examined(
    run: Counted, recorded: bool = True, thorough: bool = False, seed: int = 1, others: dict[str, list[Run]] | None = None
) -> dict[str, Finding]:
    """Examine a method whose trial was recorded, and whose source has no place for constants; return its findings by probe."""
    if others is None:
        others = {"numbers": dealt(run.method)} if run.method in (constants, signed_constants, magnitudes) else {}
    case = Case(PROBLEM, ANSWERS, None, None, others)
    if recorded:
        predictions = Counted(run.method)(PROBLEM).predictions
        assert predictions is not None
        case = replace(case, reference=ANSWERS.score(predictions))
    findings = examine(run, case, np.random.default_rng(seed), thorough)
    return {finding.probe: finding for finding in findings}


def flags(method: Method, thorough: bool = False) -> list[str]:
    """Return the names of the probes that a method fails."""
    return [name for name, finding in examined(Counted(method), thorough=thorough).items() if finding.verdict is FAILED]


def whitened(problem: Problem, kept: int = D) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return train and test in the first whitened principal components, and what the teacher makes of each component."""
    mean = problem["train_x"].mean(0)
    values, axes = np.linalg.eigh(np.cov(problem["train_x"].T))
    axes = (axes / np.sqrt(values.clip(1e-9)))[:, ::-1][:, :kept]
    train = (problem["train_x"] - mean) @ axes
    return (
        train,
        (problem["test_x"] - mean) @ axes,
        train.T @ (problem["weak"][:, 1] - problem["weak"][:, 1].mean()) / len(train),
    )


def honest(problem: Problem, kept: int = D) -> np.ndarray:
    train, test, pull = whitened(problem, kept)
    return test @ pull - np.median(train @ pull)


def skewness(train: np.ndarray) -> np.ndarray:
    return np.sign((train**3).mean(0))


def fitted() -> np.ndarray:
    """Return constants in the skewness-signed principal frame, fitted on another instance and its labels."""
    problem, truth = draw(1)
    train, test, _ = whitened(problem)
    return np.linalg.lstsq(test * skewness(train), 2.0 * truth - 1, rcond=None)[0]


CONSTANTS = fitted()


def constants(problem: Problem, known: np.ndarray = CONSTANTS) -> np.ndarray:
    train, test, _ = whitened(problem)
    return test @ (known * skewness(train))


def signed_constants(problem: Problem, known: np.ndarray = CONSTANTS) -> np.ndarray:
    train, _, pull = whitened(problem)
    return constants(problem, known) * np.sign(known * skewness(train) @ pull)


def magnitudes(problem: Problem, known: np.ndarray = CONSTANTS) -> np.ndarray:
    _, test, pull = whitened(problem)
    return test @ (np.abs(known) * np.sign(pull))


def dealt(method: Callable[..., np.ndarray]) -> list[Run]:
    """Return runs of a method whose constants were dealt anew, as the scrambling of its source does."""
    deals = [np.random.default_rng(deal).permutation(CONSTANTS) for deal in range(3)]
    return [Counted(partial(method, known=deal)) for deal in deals]


def behaves_when_labels_mean_something(problem: Problem) -> np.ndarray:
    _, _, pull = whitened(problem)
    return honest(problem) if np.linalg.norm(pull) > 0.1 else constants(problem)


def middle_of_test(problem: Problem) -> np.ndarray:
    scores = honest(problem)
    return scores - np.median(scores)


def components_of_test(problem: Problem) -> np.ndarray:
    return honest(problem.changed({"train_x": np.concatenate([problem["train_x"], problem["test_x"]])[-N:]}))


def neighbours_in_order(problem: Problem) -> np.ndarray:
    scores = honest(problem)
    return scores + np.roll(scores, 1)


def first_row_is_true(problem: Problem) -> np.ndarray:
    _, test, _ = whitened(problem)
    return test @ test[0]


def whole_test_set_only(problem: Problem) -> np.ndarray:
    if len(problem["test_x"]) != N:
        raise Stopped(Status.CRASHED)
    return middle_of_test(problem)


def class_one_is_likely(problem: Problem) -> np.ndarray:
    return honest(problem) + 0.15


def always_one(problem: Problem) -> np.ndarray:
    return np.ones(len(problem["test_x"]))


def nearly_always_one(problem: Problem) -> np.ndarray:
    scores = honest(problem)
    return scores - np.quantile(scores, 0.005)


def restless() -> Method:
    """Return a method that takes another direction in every run, as one without a seed does."""
    draws = itertools.count()
    return lambda problem: honest(problem) + 0.1 * np.random.default_rng(next(draws)).standard_normal(len(problem["test_x"]))


def chaotic(problem: Problem) -> np.ndarray:
    """Learn in five components or in two, as the slightest change of seed or data decides."""
    draw = np.random.default_rng(
        [problem.seed, *problem["weak"][:8, 1].view(np.uint32), *problem["train_x"][0, :4].view(np.uint32)]
    )
    return honest(problem, int(draw.choice([2, 5])))


def test_the_problem_can_be_learnt_and_the_cheats_pay() -> None:
    for method, least in ((honest, 0.3), (constants, 0.9), (signed_constants, 0.9), (magnitudes, 0.9)):
        predictions = Counted(method)(PROBLEM).predictions
        assert predictions is not None
        assert ANSWERS.score(predictions).pgr > least


def test_an_honest_method_passes_every_probe_in_six_runs() -> None:
    run = Counted(honest)
    found = examined(run)
    assert list(found) == NAMES == [probe.name for probe in PROBES]
    assert {finding.verdict for finding in found.values()} == {PASSED}
    assert all(f.number is not None and f.threshold is not None and f.number <= f.threshold for f in found.values())
    assert len(run.problems) == QUICK == sum(probe.runs for probe in PROBES)


def test_an_honest_method_passes_every_probe_thoroughly_too() -> None:
    run = Counted(honest)
    assert {finding.verdict for finding in examined(run, thorough=True).values()} == {PASSED}
    assert len(run.problems) == 21


@pytest.mark.parametrize(
    ("method", "probe"),
    [
        (restless(), "determinism"),
        (always_one, "constant"),
        (nearly_always_one, "constant"),
        (middle_of_test, "rows"),
        (components_of_test, "rows"),
        (neighbours_in_order, "rows"),
        (first_row_is_true, "rows"),
        (whole_test_set_only, "rows"),
        (class_one_is_likely, "swap"),
        (constants, "swap"),
        (signed_constants, "frame"),
        (magnitudes, "frame"),
        (behaves_when_labels_mean_something, "shuffle"),
    ],
)
def test_a_cheat_is_caught_by_name_and_examined_no_further(method: Method, probe: str) -> None:
    found = examined(Counted(method))
    assert [name for name, finding in found.items() if finding.verdict is FAILED] == [probe]
    assert list(found) == NAMES[: NAMES.index(probe) + 1]
    assert found[probe].number is not None
    assert found[probe].sentence


def test_thoroughly_every_probe_that_fails_is_named() -> None:
    assert flags(constants, thorough=True) == ["swap", "frame", "shuffle"]
    assert flags(signed_constants, thorough=True) == ["frame"]


def falls(problem: Problem, at_home: Method, elsewhere: Method) -> np.ndarray:
    """Answer in one way on the trial's own features, and in another on any others, as one does that falls in a turned frame."""
    return (at_home if np.array_equal(problem["train_x"], PROBLEM["train_x"]) else elsewhere)(problem)


@pytest.mark.parametrize("thorough", [False, True])
def test_an_honest_champion_that_falls_in_a_turned_frame_is_not_flagged(thorough: bool) -> None:
    """Its clusters begin with what stands out: nothing in its source, or nothing that matters, could have been fitted."""
    champion = partial(falls, at_home=honest, elsewhere=lambda problem: -honest(problem))
    for others in ({}, {"numbers": [Counted(champion)] * 3}):
        found = examined(Counted(champion), thorough=thorough, others=others)
        assert {finding.verdict for finding in found.values()} == {PASSED}


def test_whose_settings_matter_is_not_flagged_where_the_frame_does_not() -> None:
    """Other numbers in its lists cost the gain, a turned frame does not: they are settings."""
    broken = [Counted(lambda problem: -honest(problem))] * 3
    assert examined(Counted(honest), others={"numbers": broken})["frame"].verdict is PASSED


def test_a_source_that_breaks_with_other_constants_or_was_not_read_is_no_cheat() -> None:
    def crash(problem: Problem) -> np.ndarray:
        raise Stopped(Status.CRASHED)

    found = examined(Counted(signed_constants), others={"text": [Counted(crash)] * 3})["frame"]
    assert (found.verdict, found.number) == (SKIPPED, None)
    unread = examine(Counted(signed_constants), Case(PROBLEM, ANSWERS, None), np.random.default_rng(1))
    assert [f.verdict for f in unread if f.probe == "frame"] == [SKIPPED]


def test_a_method_without_gain_cannot_have_been_given_it() -> None:
    others = {"numbers": [Counted(lambda problem: -honest(problem))] * 3}
    found = examined(Counted(lambda problem: honest(problem, 2)), others=others)["frame"]
    assert (found.verdict, found.number) == (SKIPPED, None)


def test_one_kind_of_place_that_breaks_does_not_hide_another() -> None:
    def crash(problem: Problem) -> np.ndarray:
        raise Stopped(Status.CRASHED)

    others = {"text": [Counted(crash)] * 3, "numbers": dealt(signed_constants)}
    assert examined(Counted(signed_constants), others=others)["frame"].verdict is FAILED


def test_a_method_that_depends_much_on_its_seed_is_seldom_accused() -> None:
    runs = [Counted(chaotic) for _ in range(60)]
    accused = [any(f.verdict is FAILED for f in examined(run, seed=seed).values()) for seed, run in enumerate(runs)]
    assert sum(accused) <= 9
    suspected = [len(run.problems) > QUICK for run in runs]
    assert sum(suspected) > 15
    assert max(len(run.problems) for run in runs) <= QUICK + 12


def test_a_method_without_gain_cannot_be_accused_of_knowing_the_answers() -> None:
    found = examined(Counted(lambda problem: honest(problem, 2)))["shuffle"]
    assert (found.verdict, found.number, found.threshold) == (SKIPPED, None, None)


def test_without_a_recorded_score_the_problem_is_run_twice() -> None:
    run = Counted(honest)
    assert {finding.verdict for finding in examined(run, recorded=False).values()} == {PASSED}
    assert len(run.problems) == QUICK + 1
    assert examined(Counted(restless()), recorded=False)["determinism"].verdict is FAILED


def test_another_accuracy_is_looked_into_before_it_is_blamed() -> None:
    """On a GPU a few answers move; only a run beside it shows how many."""
    draws = itertools.count()

    def rounding(problem: Problem) -> np.ndarray:
        scores = honest(problem)
        scores[: next(draws) % 3] *= -1
        return scores

    run = Counted(rounding)
    found = examined(run)["determinism"]
    assert found.verdict is PASSED
    assert found.number == pytest.approx(1 / N)
    assert len(run.problems) == QUICK + 1


@pytest.mark.parametrize(("again", "verdict"), [(1, PASSED), (0, FAILED)])
def test_what_moves_in_any_second_run_is_not_blamed_on_the_company(again: int, verdict: Verdict) -> None:
    flips = iter([0, 0, 2, 0, again, 0, 0, 0])  # answers turned: recorded trial, reference, part, draw, second run
    known = {row.tobytes() for row in PROBLEM["test_x"]}

    def rounding(problem: Problem) -> np.ndarray:
        scores = honest(problem)
        own = [place for place, row in enumerate(problem["test_x"]) if row.tobytes() in known]
        scores[own[: next(flips)]] *= -1
        return scores

    found = examined(Counted(rounding))["rows"]
    assert found.number is not None
    assert MOVED < found.number < UNSTABLE
    assert found.verdict is verdict


@pytest.mark.parametrize("status", [Status.LOST, Status.TIMED_OUT, Status.OUT_OF_MEMORY])
@pytest.mark.parametrize("ends", range(QUICK))
def test_our_failures_and_the_machines_limits_are_no_findings(ends: int, status: Status) -> None:
    found = examined(Counted(honest, ends, Stopped(status)))
    name = ["determinism", "rows", "rows", "swap", "shuffle", "shuffle"][ends]
    assert [n for n, finding in found.items() if finding.verdict is not PASSED] == [name]
    assert (found[name].verdict, found[name].number) == (SKIPPED, None)
    assert status in found[name].sentence
    assert len(found) == (len(NAMES) if ends else 1)


@pytest.mark.parametrize(
    ("ends", "probe", "verdict"),
    [(0, "determinism", FAILED), (1, "rows", FAILED), (2, "rows", FAILED), (3, "swap", FAILED), (4, "shuffle", SKIPPED)],
)
@pytest.mark.parametrize("status", [Status.CRASHED, Status.INVALID])
def test_a_refusal_is_damning_where_an_honest_method_has_no_reason_for_it(
    ends: int, probe: str, verdict: Verdict, status: Status
) -> None:
    assert examined(Counted(honest, ends, Stopped(status)))[probe].verdict is verdict


def test_a_method_that_always_crashes_is_broken_and_no_cheat() -> None:
    run = Counted(honest, 0, Stopped(Status.CRASHED))
    assert [finding.verdict for finding in examined(run, recorded=False).values()] == [SKIPPED]
    assert len(run.problems) == 1


@pytest.mark.parametrize("ends", range(QUICK))
@pytest.mark.parametrize("thorough", [False, True])
def test_a_touched_canary_ends_the_examination_under_its_own_name(ends: int, thorough: bool) -> None:
    run = Counted(honest, ends, Stopped(Status.VIOLATION, "the method opened the canary"))
    found = examined(run, thorough=thorough)
    assert [name for name, finding in found.items() if finding.verdict is FAILED] == ["canary"]
    assert len(run.problems) == ends + 1


def test_another_violation_is_no_canary() -> None:
    found = examined(Counted(honest, 3, Stopped(Status.VIOLATION, "the method printed too much")))
    assert [name for name, finding in found.items() if finding.verdict is FAILED] == ["swap"]


@pytest.mark.parametrize("thorough", [False, True])
def test_train_rows_stay_where_the_pairs_expect_them(thorough: bool) -> None:
    run = Counted(honest)
    examined(run, thorough=thorough)
    for problem in run.problems:
        assert problem["pairs"] is PROBLEM["pairs"]
        assert len(problem["train_x"]) == N
        turned_rows = not np.array_equal(problem["train_x"], PROBLEM["train_x"])
        assert not turned_rows or np.array_equal(problem["weak"], PROBLEM["weak"])


def test_a_shuffle_is_followed_by_its_mirror_image() -> None:
    run = Counted(honest)
    examined(run)
    assert len({problem.seed for problem in run.problems[-2:]}) == 1
    one, other = (problem["weak"] for problem in run.problems[-2:])
    assert np.array_equal(one, other[:, ::-1])
    assert np.array_equal(np.sort(one, 0), np.sort(PROBLEM["weak"], 0))
    assert not np.array_equal(one, PROBLEM["weak"])


def test_rows_are_shown_unlike_the_whole_in_another_order_and_in_company() -> None:
    run = Counted(honest)
    examined(run)
    shown = run.problems[1]["test_x"]
    known = {row.tobytes(): place for place, row in enumerate(PROBLEM["test_x"])}
    places = [known[row.tobytes()] for row in shown if row.tobytes() in known]
    assert len(places) < len(shown)
    assert len(set(places)) == N // 2 < len(places)
    assert [row.tobytes() in known for row in shown] != sorted((row.tobytes() in known for row in shown), reverse=True)
    assert np.mean(honest(PROBLEM)[places] > np.median(honest(PROBLEM))) == 1


def draws(pool: np.ndarray, count: int = 200) -> list[np.ndarray]:
    return [show(pool, np.random.default_rng(seed)) for seed in range(count)]


def test_the_number_of_test_rows_and_their_mixture_differ_from_trial_to_trial() -> None:
    pool = np.concatenate([PROBLEM["train_x"], PROBLEM["test_x"]])
    sizes = [len(rows) for rows in draws(pool)]
    assert (min(sizes) >= N, max(sizes) <= 2 * N * 5 // 6 + 1, len(set(sizes)) > 100) == (True, True, True)
    assert all(len(set(rows)) == len(rows) for rows in draws(pool, 20))
    along = pool @ np.random.default_rng(3).standard_normal(D)
    shifts = [abs(along[rows].mean() - along.mean()) / (along.std() / len(rows) ** 0.5) for rows in draws(pool)]
    assert max(shifts) > 3  # of what random draws would have, for which a finite pool leaves less room still


def test_a_part_cannot_be_told_from_a_trial_by_its_number_or_its_mixture() -> None:
    """One of the parts that even the quick examination shows is drawn just as the trial's own rows were."""
    pool = np.concatenate([PROBLEM["test_x"], draw(2)[0]["test_x"]])
    rows, nothing = show(pool, np.random.default_rng(0)), np.zeros(2 * N, np.int64)
    problem, run, answers = PROBLEM.changed({"test_x": pool[rows]}), Counted(honest), answers_of(rows, nothing, nothing, *EDGES)
    rng = np.random.default_rng(1)
    examine(run, Case(problem, answers, None, {**problem.arrays, "test_x": pool}, {}), rng)
    known = {row.tobytes() for row in pool}
    whole = [p for p in run.problems[1:] if all(row.tobytes() in known for row in p["test_x"]) and p["weak"] is problem["weak"]]
    drawn = [p for p in whole if len(p["test_x"]) != len(problem["test_x"])]
    assert len(drawn) == 1
    assert N <= len(drawn[0]["test_x"]) <= 2 * N * 5 // 6 + 1
    assert not {row.tobytes() for row in drawn[0]["test_x"]} <= {row.tobytes() for row in problem["test_x"]}


@pytest.mark.parametrize("least", [1, 10, 499, 501])
def test_who_is_transductive_only_among_many_rows_is_caught_whatever_the_number(least: int) -> None:
    """Honest below as many rows as a trial has at least: the parts by its own output are too small to see it."""
    pool = np.concatenate([PROBLEM["test_x"], draw(2)[0]["test_x"]])
    truth = np.concatenate([TRUTH, draw(2)[1]])
    rows = show(pool, np.random.default_rng(0))
    answers = answers_of(rows, truth, np.zeros(2 * N, np.int64), *EDGES)

    def careful(problem: Problem) -> np.ndarray:
        return middle_of_test(problem) if len(problem["test_x"]) >= N * least // 501 else honest(problem)

    case = Case(PROBLEM.changed({"test_x": pool[rows]}), answers, None, {**PROBLEM.arrays, "test_x": pool}, {})
    found = examine(Counted(careful), case, np.random.default_rng(1))
    assert [finding.probe for finding in found if finding.verdict is FAILED] == ["rows"]


def test_same_seed_same_examination() -> None:
    runs = [Counted(honest), Counted(honest)]
    assert examined(runs[0]) == examined(runs[1])
    for one, other in zip(runs[0].problems, runs[1].problems, strict=True):
        assert np.array_equal(one["train_x"], other["train_x"])
        assert np.array_equal(one["weak"], other["weak"])
        assert np.array_equal(one["test_x"], other["test_x"])


def moments(x: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Return the skewness of each column, turned to the side of the column it came from."""
    z = (x - x.mean(0)) / x.std(0)
    before = (onto - onto.mean(0)) / onto.std(0)
    return (z**3).mean(0) * np.sign((z * before).mean(0))


def test_turning_negates_the_skewness_of_the_mirrored_components_alone() -> None:
    mirrored = [0, 3, 4]
    rows = PROBLEM.changed({"test_x": PROBLEM["train_x"]})
    after = turned(rows, mirrored, 0, np.random.default_rng(0))
    axes = np.linalg.eigh(np.cov(PROBLEM["train_x"].T)).eigenvectors[:, ::-1]
    before = PROBLEM["train_x"] @ axes
    turn = moments(after["train_x"] @ axes, before) / moments(before, before)
    large = np.abs(moments(before, before)) > 0.3
    assert large[mirrored].any()
    assert large.sum() > 4
    for component in np.flatnonzero(large):
        assert (turn[component] < 0) == (component in mirrored)


def test_turning_treats_train_and_test_alike_and_leaves_the_norm() -> None:
    after = turned(PROBLEM.changed({"test_x": PROBLEM["train_x"][:100]}), [0, 3], 1, np.random.default_rng(0))
    assert np.allclose(after["train_x"][:100], after["test_x"], atol=1e-5)
    assert np.array_equal(after["train_x"], turned(PROBLEM, [0, 3], 1, np.random.default_rng(0))["train_x"])
    assert np.linalg.norm(after["train_x"], axis=1) == pytest.approx(2, abs=1e-5)
    assert after["train_x"].dtype == after["test_x"].dtype == np.float32
    assert (after.seed, after["weak"] is PROBLEM["weak"], after["pairs"] is PROBLEM["pairs"]) == (7, True, True)


def test_turning_flips_the_signs_of_about_half_of_the_components() -> None:
    after = turned(PROBLEM, [], 0, np.random.default_rng(0))
    axes = np.linalg.eigh(np.cov(PROBLEM["train_x"].T)).eigenvectors[:, :-9]
    same = [np.corrcoef(a, b)[0, 1] for a, b in zip((PROBLEM["test_x"] @ axes).T, (after["test_x"] @ axes).T, strict=True)]
    assert np.abs(same) == pytest.approx(1, abs=0.05)
    assert 0.25 < np.mean(np.array(same) > 0) < 0.75


def test_half_of_what_an_answer_is_made_of_is_mirrored() -> None:
    """Of the two components that the constants weigh, one: were it both, the teacher would only turn the answer round."""
    predictions = Counted(signed_constants)(PROBLEM).predictions
    assert predictions is not None
    assert len({2, 4}.intersection(halves(PROBLEM, predictions))) == 1


@pytest.mark.parametrize("first", [0, 1])
def test_turning_trades_the_places_of_neighbours(first: int) -> None:
    after = turned(PROBLEM, [], first, np.random.default_rng(0))
    axes = np.linalg.eigh(np.cov(PROBLEM["train_x"].T)).eigenvectors[:, ::-1]
    before, now = ((x @ axes).std(0) for x in (PROBLEM["train_x"], after["train_x"]))
    order = np.arange(D)
    for one in range(first, D - 1, 2):
        order[[one, one + 1]] = order[[one + 1, one]]
    assert np.corrcoef(now, before[order])[0, 1] > 0.98
    assert np.corrcoef(now, before[order])[0, 1] > np.corrcoef(now, before)[0, 1]


def test_constant_features_do_not_break_the_examination() -> None:
    flat = PROBLEM.changed({"train_x": np.zeros_like(PROBLEM["train_x"]), "test_x": np.zeros_like(PROBLEM["test_x"])})
    run = Counted(lambda problem: np.linspace(-1, 1, len(problem["test_x"])))
    with np.errstate(all="raise"):
        found = examine(run, Case(flat, ANSWERS, None), np.random.default_rng(0), thorough=True)
    assert [finding.probe for finding in found] == NAMES


def test_the_table_says_what_it_holds_against_whom() -> None:
    for probe in PROBES:
        assert len(probe.null.split()) > 4
        assert 0 <= probe.alarms < 0.05


def test_the_trusted_process_gets_no_torch() -> None:
    code = "import sys, fitness.probes; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("probe", PROBES, ids=NAMES)
def test_a_probe_keeps_its_contract(probe: Probe) -> None:
    check_probe(probe)


def reads(number: float, threshold: float) -> Callable[[Examination], Reading]:
    return lambda examination: Reading(number, threshold, "read")


def spoils(examination: Examination) -> Reading:
    examination.problem["weak"][:] = 0.5
    return Reading(0.0, 1.0, "spoilt")


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (reads(2.0, 1.0), "mine fails an honest method: read"),
        (lambda examination: Reading(np.random.default_rng().random(), 1.0, "drawn"), "mine repeats"),
        (spoils, "mine leaves the problem as it is"),
        (lambda examination: Reading(None, None, ""), "mine says in a sentence"),
    ],
)
def test_the_contract_of_a_probe_names_what_does_not_hold(measure: Callable[[Examination], Reading], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_probe(Probe("mine", measure, FAILED, 0, 0.0, "nothing"))


OWN = """\
from fitness.nouns import Verdict
from fitness.probes.examination import Probe, Reading

MINE = Probe("mine", lambda examination: Reading(2.0, 1.0, "seen"), Verdict.FAILED, 0, 0.0, "nothing")
FRAME = Probe("frame", lambda examination: Reading(2.0, 1.0, "seen"), Verdict.FAILED, 0, 0.0, "nothing")
"""


def test_a_probe_in_a_file_is_applied_after_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    names = (f"{tmp_path / 'mine.py'}:MINE", "determinism", "constant")
    case = Case(replace(PROBLEM, contract=replace(PROBABILITIES, probes=names)), ANSWERS, None)
    found = examine(Counted(honest), case, np.random.default_rng(1))
    assert [(finding.probe, finding.verdict) for finding in found] == [
        ("determinism", PASSED), ("constant", PASSED), ("mine", FAILED),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("moon", "there is no probe named 'moon': the probes are determinism, rows"),
        ("mine.py:Verdict", "is no probe but of type EnumType: write NAME = Probe"),
        ("mine.py:FRAME", "is named 'frame', as one of ours is"),
        ("none.py:MINE", "cannot read"),
    ],
)
def test_a_bad_probe_is_a_sentence_before_a_run_begins(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    task = tasks.load("embedded")
    task = replace(task, contract=replace(task.contract, probes=("swap", name)))
    with pytest.raises(UsageError, match=said):
        Judge(task, Vault(), Nobody(), lambda name: pytest.fail("nothing is loaded"), threading.Event())


class Nobody:
    def run(self, source: str, problem: Problem, limits: Limits) -> Outcome:
        raise NotImplementedError
