"""The judge's own decisions (races, retries, blame), with a scripted sandbox: the real one has its own tests."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from fitness.contracts.contract import Problem
from fitness.judge import Cancelled, Judge
from fitness.nouns import Evaluation, Finding, Limits, Method, Outcome, Score, Split, Status, Trial, Verdict
from fitness.probes import evidence, probes
from fitness.probes.examination import Case
from fitness.tasks import load
from fitness.vault.instance import Answers, InstanceName
from tests.support.weak_to_strong import answers_of, problem_of

METHOD = Method("m", "source", 256)
N = 1000


@dataclass(frozen=True)
class FakeInstance:
    name: InstanceName


class FakeVault:
    """Instances whose truth is all ones and whose teacher says all zeros."""

    def load(self, name: InstanceName) -> FakeInstance:
        return FakeInstance(name)

    def arrays(self, instance: FakeInstance) -> dict[str, np.ndarray]:
        return {"test_x": np.zeros((N, 1), np.float32)}

    def dice(self, *label: object) -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(str(label).encode()))

    def problem(self, instance: FakeInstance, method: str, repeat: int = 0) -> tuple[Problem, Answers]:
        problem = problem_of(
            np.zeros((0, 1), np.float32), np.zeros((0, 2), np.float32), np.zeros((N, 1), np.float32), seed=instance.name.index
        )
        return problem, answers_of(np.arange(N), np.ones(N, np.int64), np.zeros(N, np.int64), 0.5, 1.0)


class Scripted:
    """Answers each run with the next of its outcomes (the last one again and again)."""

    def __init__(self, *outcomes: Outcome | Callable[[], Outcome]) -> None:
        self.outcomes, self.runs = list(outcomes), 0

    def run(self, source: str, problem: Problem, limits: Limits) -> Outcome:
        outcome = self.outcomes[min(self.runs, len(self.outcomes) - 1)]
        self.runs += 1
        return outcome if isinstance(outcome, Outcome) else outcome()


def right(share: float) -> Outcome:
    """An outcome that is right on this share of the rows."""
    answers = np.zeros((N, 2), np.float32)
    answers[:, 1] = np.arange(N) < share * N
    answers[:, 0] = 1 - answers[:, 1]
    return Outcome(Status.OK, answers, 0.1)


def failed(status: Status) -> Outcome:
    return Outcome(status, None, 0.1, f"it was {status}")


def judge(sandbox: Scripted, stop: threading.Event | None = None) -> Judge:
    vault = FakeVault()
    return Judge(load("embedded"), vault, sandbox, vault.load, stop or threading.Event())  # type: ignore[arg-type]


def dev(count: int, *domains: str) -> list[InstanceName]:
    """The first dev instances of each domain, the domains in turn."""
    return [InstanceName("t", domain, Split.DEV, i) for i in range(count) for domain in domains or ("chat",)]


def test_pgr_comes_from_the_vaults_own_answers() -> None:
    trial = judge(Scripted(right(0.8))).trial(METHOD, dev(10)[3])
    assert trial.score is not None
    assert trial.score.pgr == pytest.approx(0.6)
    assert trial.measures["teacher_agreement"] == pytest.approx(0.2)


def test_an_evaluation_has_a_fitness_and_measures() -> None:
    done = judge(Scripted(right(0.8))).evaluate(METHOD, dev(10))
    assert (done.status, len(done.trials), done.measures["size"]) == (Status.OK, 10, 8.0)
    assert done.fitness is not None
    assert 0.5 < done.fitness < 0.6


def test_a_method_has_no_fitness_before_the_tasks_least_number_of_instances_of_each_domain() -> None:
    assert judge(Scripted(right(0.8))).evaluate(METHOD, dev(9)).fitness is None
    assert judge(Scripted(right(0.8))).evaluate(METHOD, [*dev(10), *dev(9, "math")]).fitness is None
    assert judge(Scripted(right(0.8))).evaluate(METHOD, dev(10, "chat", "math")).fitness is not None


def test_a_method_that_failed_is_not_examined() -> None:
    sandbox = Scripted(right(0.8), failed(Status.CRASHED))
    assert judge(sandbox).certify(METHOD, dev(9)).findings == ()
    assert sandbox.runs == 2


class Suspicious(Judge):
    """A judge whose probes say what a test decides, instance by instance."""

    def __init__(self, fails: Callable[[Trial], bool], probe: str = "frame") -> None:
        vault = FakeVault()
        super().__init__(load("embedded"), vault, Scripted(right(0.8)), vault.load, threading.Event())  # type: ignore[arg-type]
        self.fails, self.probe, self.examined = fails, probe, list[tuple[int, bool, tuple[str, ...] | None]]()

    def examine(
        self, method: Method, trial: Trial, thorough: bool = False, names: tuple[str, ...] | None = None
    ) -> tuple[Finding, ...]:
        self.examined.append((trial.instance, thorough, names))
        verdict = Verdict.FAILED if self.fails(trial) else Verdict.PASSED
        return (Finding(self.probe, verdict, 0.7, 0.15, "PGR 0.75, and 0.06 turned round"),)


def trials(*pgrs: float, domain: str = "chat") -> list[Trial]:
    return [
        Trial("m", "embedded", domain, i, Split.DEV, Status.OK, Score(pgr, 0.02, 0.7, 0.6, 0.95, 3000))
        for i, pgr in enumerate(pgrs)
    ]


def test_a_few_held_out_instances_are_enough_to_be_examined() -> None:
    """A held-out domain has fewer instances than a fitness needs."""
    certified = Suspicious(lambda trial: True).certify(METHOD, dev(3))
    assert certified.fitness is None
    assert certified.flags == ("frame",)


def test_one_draw_on_one_instance_is_evidence_and_no_flag() -> None:
    suspicious = Suspicious(lambda trial: len(suspicious.examined) == 1)
    found = suspicious.inspect(METHOD, trials(*[0.9] * 10))
    assert [finding.verdict for finding in found] == [Verdict.CONTESTED, Verdict.PASSED, Verdict.PASSED]
    assert len({finding.instance for finding in found}) == 3
    assert Evaluation("m", (), Status.OK, None, findings=found).flags == ()


def test_what_fails_on_most_instances_is_a_flag() -> None:
    found = Suspicious(lambda trial: True).inspect(METHOD, trials(*[0.9] * 10))
    assert [finding.verdict for finding in found] == [Verdict.FAILED] * 3
    assert Evaluation("m", (), Status.OK, None, findings=found).flags == ("frame",)


@pytest.mark.parametrize("thorough", [False, True])
def test_what_fails_by_accident_in_one_domain_of_two_is_contested(thorough: bool) -> None:
    """Contrast-consistent search takes the side from how false replies look, where the teacher is misled."""
    both = [*trials(*[0.9] * 10), *trials(*[0.9] * 10, domain="code_deceptive")]
    for name in "abcdefghij":
        found = Suspicious(lambda trial: trial.domain == "code_deceptive").inspect(Method(name, "s", 1), both, thorough)
        assert Evaluation("m", (), Status.OK, None, findings=found).flags == ()
        if Verdict.CONTESTED in {finding.verdict for finding in found}:
            assert [finding.domain for finding in found].count("chat") == len(found) / 2
        everywhere = Suspicious(lambda trial: True).inspect(Method(name, "s", 1), both, thorough)
        assert Evaluation("m", (), Status.OK, None, findings=everywhere).flags == ("frame",)


def test_what_was_measured_counts_in_the_mean_too() -> None:
    """With shuffled labels an accident is right on some instances and as wrong on others; who knows the answers is right."""
    accident, knowing = ([finding(number) for number in numbers] for numbers in ((0.9, 0.9, -1.4), (0.9, 0.9, 0.3)))
    assert not evidence.flagged("shuffle", accident)
    assert evidence.flagged("shuffle", knowing)


def finding(number: float, threshold: float = 0.45) -> Finding:
    return Finding("shuffle", Verdict.FAILED if number > threshold else Verdict.PASSED, number, threshold, "")


def test_only_the_suspicious_probe_is_applied_to_further_instances() -> None:
    suspicious = Suspicious(lambda trial: True)
    suspicious.inspect(METHOD, trials(*[0.9] * 10))
    assert [names for _, _, names in suspicious.examined] == [None, ("frame",), ("frame",)]
    thief = Suspicious(lambda trial: True, "canary")
    thief.inspect(METHOD, trials(*[0.9] * 10))
    assert [names for _, _, names in thief.examined] == [None, None, None]  # any run may touch a decoy


def test_finalists_are_examined_on_several_instances_and_on_more_when_one_fails() -> None:
    calm = Suspicious(lambda trial: False)
    calm.inspect(METHOD, trials(*[0.9] * 20), thorough=True)
    assert [thorough for _, thorough, _ in calm.examined] == [True, False, False]
    shaken = Suspicious(lambda trial: len(shaken.examined) in (1, 2))
    found = shaken.inspect(METHOD, trials(*[0.9] * 20), thorough=True)
    assert [finding.verdict for finding in found].count(Verdict.CONTESTED) == 2
    assert len(found) == 5


def test_which_instance_is_examined_is_drawn_by_the_vault_and_differs_from_method_to_method() -> None:
    seen = set()
    for name in "abcdefghij":
        suspicious = Suspicious(lambda trial: False)
        suspicious.inspect(Method(name, "source", 1), trials(*[0.9] * 10))
        seen.add(suspicious.examined[0][0])
    assert len(seen) > 3


def test_a_method_that_cheats_on_three_instances_of_four_is_flagged() -> None:
    """Salted: it looks honest wherever a hash of the instance says so, among them the first."""
    salted = [0.3 if i % 4 == 0 else 0.97 for i in range(20)]
    flags = 0
    for name in "abcdefghijklmnopqrst":
        found = Suspicious(lambda trial: trial.instance % 4 != 0).inspect(Method(name, "s", 1), trials(*salted))
        flags += bool(Evaluation("m", (), Status.OK, None, findings=found).flags)
    assert flags == 20


def test_two_heaps_of_pgrs_are_looked_at_and_not_convicted() -> None:
    honest = Suspicious(lambda trial: False)
    found = honest.inspect(METHOD, trials(0.9, 0.85, 0.1, 0.92, 0.05, 0.88))
    assert len({place in (2, 4) for place, _, _ in honest.examined}) == 2
    assert {finding.verdict for finding in found} == {Verdict.PASSED}


def test_the_examiners_dice_do_not_come_from_the_seed_that_the_method_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who knows the dice knows what he will be shown."""
    drawn = list[np.ndarray]()

    def note(run: object, case: Case, rng: np.random.Generator, *_: object) -> tuple[Finding, ...]:
        drawn.append(rng.integers(2**31, size=4))
        return ()

    monkeypatch.setattr(probes, "examine", note)
    same_seed = trials(0.9, 0.9)
    for method in ("a", "b"):
        judge(Scripted(right(0.8))).examine(Method(method, "source", 1), same_seed[1])
    assert not np.array_equal(drawn[0], drawn[1])  # problem.seed is 1 both times
    assert not any(np.array_equal(one, np.random.default_rng(1).integers(2**31, size=4)) for one in drawn)


@pytest.mark.parametrize("status", [Status.CRASHED, Status.INVALID, Status.OUT_OF_MEMORY, Status.VIOLATION])
def test_a_failure_ends_the_evaluation_and_is_no_number(status: Status) -> None:
    sandbox = Scripted(right(0.8), failed(status))
    done = judge(sandbox).evaluate(METHOD, dev(10))
    assert (done.status, done.fitness, sandbox.runs, done.message) == (status, None, 2, f"it was {status}")


def test_a_lost_run_is_repeated_and_never_held_against_the_method() -> None:
    sandbox = Scripted(failed(Status.LOST), failed(Status.LOST), right(0.8))
    assert judge(sandbox).trial(METHOD, dev(10)[0]).status is Status.OK
    gone = Scripted(failed(Status.LOST))
    assert judge(gone).trial(METHOD, dev(10)[0]).status is Status.LOST
    assert gone.runs == 3


def test_a_run_out_of_time_is_repeated_once() -> None:
    assert judge(Scripted(failed(Status.TIMED_OUT), right(0.8))).trial(METHOD, dev(10)[0]).status is Status.OK
    slow = Scripted(failed(Status.TIMED_OUT))
    assert judge(slow).trial(METHOD, dev(10)[0]).status is Status.TIMED_OUT
    assert slow.runs == 2


def test_the_repeated_run_is_alone() -> None:
    """While a timed-out method runs again, no other trial is under way."""
    others, release, seen = threading.Semaphore(0), threading.Event(), []
    running = 0
    lock = threading.Lock()

    def run(source: str, problem: Problem, limits: Limits) -> Outcome:
        nonlocal running
        with lock:
            running += 1
            beside = running - 1
        try:
            if source == "slow":
                seen.append(beside)
                return failed(Status.TIMED_OUT)
            others.release()
            release.wait(10)
            return right(0.8)
        finally:
            with lock:
                running -= 1

    shared = judge(Scripted())
    shared._sandbox = type("S", (), {"run": staticmethod(run)})()  # type: ignore[assignment]
    other = threading.Thread(target=shared.trial, args=(METHOD, dev(1)[0]))
    other.start()
    others.acquire()
    slow = threading.Thread(target=shared.trial, args=(Method("s", "slow", 8), dev(1)[0]))
    slow.start()
    while not seen:
        slow.join(0.01)
    release.set()
    slow.join(10)
    other.join(10)
    assert seen == [1, 0]


def test_a_hopeless_method_is_stopped_early_without_a_fitness() -> None:
    sandbox = Scripted(right(0.5))
    done = judge(sandbox).evaluate(METHOD, dev(10), [0.8] * 10)
    assert (done.status, done.fitness, sandbox.runs) == (Status.OK, None, 2)
    assert "stopped by the race after 2 of 10 instances: 0.80 PGR behind" in done.message


def test_a_method_as_good_as_its_rival_runs_on_every_instance() -> None:
    done = judge(Scripted(right(0.8))).evaluate(METHOD, dev(10), [0.6] * 10)
    assert len(done.trials) == 10
    assert done.measures == {"teacher_agreement": pytest.approx(0.2), "confidence": 1.0, "positive_rate": 0.8, "size": 8.0}


def test_a_stopping_run_drops_the_evaluation() -> None:
    stop = threading.Event()

    def interrupted() -> Outcome:
        stop.set()
        return failed(Status.LOST)

    with pytest.raises(Cancelled):
        judge(Scripted(right(0.8), interrupted), stop).evaluate(METHOD, dev(10))
