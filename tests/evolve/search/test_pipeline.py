from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from evolve.executors import Executor
from evolve.executors.job import Job
from evolve.executors.local import Local
from evolve.search.candidate import Candidate
from evolve.search.pipeline import LivePipeline, StepResult
from evolve.selection.choice import Choice
from fitness.judge import Evaluator
from fitness.nouns import Direction, Evaluation, Finding, Method, Split, Status, Trial
from fitness.tasks import load
from fitness.vault.instance import InstanceName

CHOICE = Choice(0, "rewrite", "tiny", Direction("clean", "", ()), ("p",), (), 0.0, 0.0)
TRIAL = Trial("p", "t", "chat", 0, Split.DEV, Status.CRASHED, None)


class Scripted(Evaluator):
    """Judges as the test says, by the number of the candidate that stands in the method's id."""

    def __init__(self, work: Callable[[int], object]) -> None:
        super().__init__(load("embedded"))
        self._work = work

    def trial(self, method: Method, name: InstanceName, draw: str = "") -> Trial:
        raise NotImplementedError

    def evaluate(
        self, method: Method, instances: Sequence[InstanceName], rival: Sequence[float] = (), draw: str = ""
    ) -> Evaluation:
        self._work(int(method.id))
        return Evaluation(method.id, (), Status.OK, None)

    def inspect(self, method: Method, trials: Sequence[Trial], thorough: bool = False) -> tuple[Finding, ...]:
        self._work(int(method.id))
        return ()


def pipeline(workers: int, work: Callable[[int], object]) -> LivePipeline:
    def opened() -> Executor:
        executor = Local()
        executor.open(Scripted(work), workers)
        return executor

    return LivePipeline(opened, 1)


def judge(live: LivePipeline, number: int) -> None:
    live.submit("judge", Candidate(number, CHOICE), Job("evaluate", Method(str(number), "", 1)))


def ended(live: LivePipeline) -> int:
    arrived = live.next(10.0)
    assert isinstance(arrived, StepResult)
    return arrived.candidate.number


def test_a_probe_goes_before_what_waits_to_be_judged() -> None:
    busy, began = threading.Event(), list[int]()
    live = pipeline(1, lambda number: busy.wait(10) if number == 1 else began.append(number))
    judge(live, 1)
    judge(live, 2)
    live.submit("probe", Candidate(3, CHOICE), Job("inspect", Method("3", "", 1), trials=(TRIAL,)))
    busy.set()
    assert [ended(live) for _ in range(3)] == [1, 3, 2]
    assert began == [3, 2]
    assert not live.in_flight
    live.close()


def test_what_fails_frees_its_worker_and_what_waits_is_dropped_at_the_end() -> None:
    busy, begun = threading.Event(), threading.Semaphore(0)

    def work(number: int) -> None:
        assert number != 1, "the first one fails"
        begun.release()
        busy.wait(10)

    live = pipeline(2, work)
    judge(live, 1)
    assert ended(live) == 1
    for number in range(2, 6):
        judge(live, number)
    assert all(begun.acquire(timeout=10) for _ in range(2)), "both workers are busy"
    closing = threading.Thread(target=live.close)
    closing.start()
    while live._ready:
        pass
    busy.set()
    closing.join(10)
    assert not begun.acquire(blocking=False), "what waited for a worker never began"


def test_how_many_evaluations_a_call_outlasts_is_known_when_both_are() -> None:
    live = pipeline(1, lambda number: None)
    assert live.outlasts == 0
    live.begin("propose", Candidate(1, CHOICE), lambda: None)
    assert ended(live) == 1
    assert live.outlasts == 0
    judge(live, 1)
    assert ended(live) == 1
    assert live.outlasts > 0
    live.close()
