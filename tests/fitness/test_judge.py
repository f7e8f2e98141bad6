"""The judge's own decisions (races, retries, blame), with a scripted sandbox: the real one has its own tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from fitness.judge import Cancelled, Judge
from fitness.nouns import Limits, Method, Outcome, Problem, Split, Status
from fitness.tasks import load
from fitness.vault.instance import Answers, InstanceName

METHOD = Method("m", "source", 256)
N = 1000


@dataclass(frozen=True)
class FakeInstance:
    name: InstanceName
    weak_acc: float = 0.5
    strong_acc: float = 1.0


class FakeVault:
    """Instances whose truth is all ones and whose teacher says all zeros."""

    def load(self, name: InstanceName) -> FakeInstance:
        return FakeInstance(name)

    def problem(self, instance: FakeInstance, method: str, repeat: int = 0) -> tuple[Problem, Answers]:
        empty = np.zeros((0, 1), np.float32)
        problem = Problem(empty, empty, np.zeros((N, 1), np.float32), None, instance.name.index, 2)
        return problem, Answers(np.arange(N), np.ones(N, np.int64), np.zeros(N, np.int64))


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


def test_a_method_without_a_fitness_is_not_examined() -> None:
    sandbox = Scripted(right(0.8))
    assert judge(sandbox).certify(METHOD, dev(9)).findings == ()
    assert sandbox.runs == 9


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
