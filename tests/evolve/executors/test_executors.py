"""What holds for every executor of the table, and that a job survives its way through JSON."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve import executors
from evolve.errors import UsageError
from evolve.executors.job import Job, from_json
from fitness import pgr
from fitness.judge import Cancelled, Evaluator
from fitness.nouns import Evaluation, Finding, Method, Split, Status, Trial, Verdict
from fitness.tasks import load
from fitness.vault.instance import InstanceName

METHOD = Method("m" * 64, "def method(problem):\n    return problem.test_x[:, 0]\n", 9)
NAMES = tuple(InstanceName("embedded", "chat", Split.DEV, index) for index in range(3))
TRIAL = Trial(METHOD.id, "embedded", "chat", 0, Split.DEV, Status.OK, pgr.score(0.7, 0.6, 0.9, 300), {"confidence": 0.8}, 0.1)
FINDING = Finding("swap", Verdict.PASSED, 0.1, 0.5, "it moved with the classes")


class Known(Evaluator):
    """A judge whose answers are known; it may wait, and it may be stopping."""

    def __init__(self, gate: threading.Event | None = None, stopping: bool = False) -> None:
        super().__init__(load("embedded"))
        self._gate, self._stopping = gate, stopping
        self.began = threading.Semaphore(0)

    def trial(self, method: Method, name: InstanceName) -> Trial:
        self.began.release()
        if self._gate is not None:
            self._gate.wait(10)
        if self._stopping:
            raise Cancelled
        return Trial(method.id, name.task, name.domain, name.index, name.split, Status.OK, TRIAL.score, dict(TRIAL.measures))

    def examine(self, method: Method, trial: Trial, thorough: bool = False) -> tuple[Finding, ...]:
        return (FINDING,)

    def measures(self, method: Method, trials: Sequence[Trial]) -> dict[str, float]:
        return {"size": 3.0}


@pytest.fixture(params=executors.TABLE)
def executor(request: pytest.FixtureRequest) -> executors.Executor:
    return executors.load(request.param)


def test_each_kind_of_job_comes_back_as_an_evaluation(executor: executors.Executor) -> None:
    jobs = [Job("evaluate", METHOD, NAMES), Job("certify", METHOD, NAMES), Job("examine", METHOD, trial=TRIAL)]
    with executors.opened(executor, Known(), 2):
        assert executor.capacity == 2
        evaluated, certified, examined = (executor.submit(job).result(10) for job in jobs)
    assert [trial.instance for trial in evaluated.trials] == [0, 1, 2]
    assert (evaluated.status, certified.method) == (Status.OK, METHOD.id)
    assert examined.findings == (FINDING,)


def test_a_stopping_run_cancels_and_an_examination_without_a_trial_is_a_bug(executor: executors.Executor) -> None:
    with executors.opened(executor, Known(stopping=True), 1):
        with pytest.raises(Cancelled):
            executor.submit(Job("evaluate", METHOD, NAMES)).result(10)
        with pytest.raises(ValueError, match="needs the trial"):
            executor.submit(Job("examine", METHOD)).result(10)


def test_what_has_not_begun_is_dropped(executor: executors.Executor) -> None:
    gate = threading.Event()
    judge = Known(gate)
    executor.open(judge, 1)
    first, second = executor.submit(Job("evaluate", METHOD, NAMES[:1])), executor.submit(Job("evaluate", METHOD, NAMES[:1]))
    assert judge.began.acquire(timeout=10)
    executor.cancel()
    assert second.cancelled()
    gate.set()
    executor.close()
    assert isinstance(first.result(10), Evaluation)
    with executors.opened(executor, Known(), 1):
        again = executor.submit(Job("evaluate", METHOD, NAMES[:1])).result(10)
    assert again.status is Status.OK, "it may be opened again"


def test_an_unknown_executor_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no executor named 'moon': the executors are local"):
        executors.load("moon")


KINDS, FINITE = st.sampled_from(["evaluate", "certify", "examine"]), st.floats(allow_nan=False, allow_infinity=False)


@given(KINDS, st.lists(FINITE), st.booleans())
def test_a_job_survives_json(kind: str, rival: list[float], thorough: bool) -> None:
    job = Job(kind, METHOD, NAMES, tuple(rival), TRIAL, thorough)  # type: ignore[arg-type]
    assert from_json(job.to_json()) == job


@pytest.mark.parametrize("text", ["", "{}", '{"kind": "run", "method": {"id": "m", "source": "", "nodes": 1}}', "[1]"])
def test_what_is_no_job_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        from_json(text)
