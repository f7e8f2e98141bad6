from __future__ import annotations

import threading

from evolve import executors
from evolve.search.candidate import Candidate
from evolve.search.pipeline import LivePipeline, StepResult
from evolve.selection.choice import Choice
from fitness.nouns import Direction

CHOICE = Choice(0, "rewrite", "tiny", Direction("clean", "", ()), ("p",), (), 0.0, 0.0)


def landed(live: LivePipeline) -> int:
    arrived = live.next(10.0)
    assert isinstance(arrived, StepResult)
    return arrived.candidate.number


def test_a_probe_goes_before_what_waits_to_be_judged() -> None:
    live, busy, began = LivePipeline(executors.load("local", 1), 1, 1), threading.Event(), list[int]()
    live.submit("judge", Candidate(1, CHOICE), lambda: busy.wait(10))
    live.submit("judge", Candidate(2, CHOICE), lambda: began.append(2))
    live.submit("probe", Candidate(3, CHOICE), lambda: began.append(3))
    busy.set()
    assert [landed(live) for _ in range(3)] == [1, 3, 2]
    assert began == [3, 2]
    assert not live.in_flight
    live.close()


def test_what_fails_frees_its_worker_and_what_waits_is_dropped_at_the_end() -> None:
    live, busy, begun = LivePipeline(executors.load("local", 2), 2, 1), threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        begun.release()
        busy.wait(10)

    live.submit("judge", Candidate(1, CHOICE), lambda: 1 // 0)
    assert landed(live) == 1
    for number in range(2, 6):
        live.submit("judge", Candidate(number, CHOICE), wait)
    assert all(begun.acquire(timeout=10) for _ in range(2)), "both workers are busy"
    closing = threading.Thread(target=live.close)
    closing.start()
    while live._ready:
        pass
    busy.set()
    closing.join(10)
    assert not begun.acquire(blocking=False), "what waited for a worker never began"


def test_how_many_evaluations_a_call_outlasts_is_known_when_both_are() -> None:
    live = LivePipeline(executors.load("local", 1), 1, 1)
    assert live.outlasts == 0
    live.submit("propose", Candidate(1, CHOICE), lambda: None)
    assert landed(live) == 1
    assert live.outlasts == 0
    live.submit("judge", Candidate(1, CHOICE), lambda: None)
    assert landed(live) == 1
    assert live.outlasts > 0
    live.close()
