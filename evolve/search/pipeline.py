"""Runs the steps that are in flight: model calls, parsing and judging, each with threads of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

from archives.nouns import CallRecord, ExperimentRecord, Records
from evolve.executors import Executor
from evolve.executors.job import Job
from evolve.search.candidate import Candidate
from fitness.nouns import Evaluation

Step = Literal["propose", "screen", "judge", "probe"]
LATELY = 8  # steps over which their mean time is taken, the newer counting more
PARSERS = 2  # threads that talk to the worker: one is served while the other packs


@dataclass(frozen=True)
class StepResult:
    """A step of a candidate that has ended; `result` returns what came of it, or raises what it raised."""

    step: Step
    candidate: Candidate
    result: Callable[[], Any]


Arrived = StepResult | Records | None
Record = CallRecord | ExperimentRecord


class Pipeline(Protocol):
    """Where the steps of candidates are done.

    Attributes:
        in_flight: the step of every candidate under way, by number.
        waited: seconds spent waiting for others; the engine used the rest.
    """

    in_flight: dict[int, Step]
    waited: float

    def begin(self, step: Step, candidate: Candidate, work: Callable[[], Any]) -> None:
        """Begin a step that is done in this process."""

    def submit(self, step: Step, candidate: Candidate, job: Job) -> None:
        """Begin a step that an executor does."""

    def experiment(self, job: Job) -> Future[Evaluation]:
        """Begin to judge a variant (from any thread). The future is cancelled when the run is stopping."""

    def keep(self, record: Record) -> None:
        """Hand on an answered model call, or an experiment that ended (from any thread)."""

    def recorded(self, proposal: int) -> Records:
        """Return what was paid for a new proposal before it asks: nothing, unless it is a replay."""


class LivePipeline:
    """The pipeline of a search that is really going on.

    No more is handed to the executor than it has workers for: a probe goes before all that waits to be judged, so that a
    would-be elite is placed before the candidates behind it are through.
    """

    def __init__(self, open_executor: Callable[[], Executor], calls: int) -> None:
        self.in_flight: dict[int, Step] = {}
        self.waited = 0.0
        self._open = open_executor
        self._executor: Executor | None = None  # opened when the first job is ready: the seeds are judged before
        self._busy = 0  # workers of the executor
        self._ready: deque[tuple[Job, Callable[[Future[Evaluation]], None]]] = deque()  # jobs, and who waits for each
        self._waiting: set[Future[Evaluation]] = set()  # experiments that have not ended
        self._lock = threading.RLock()  # of the two above; what ends at once arrives before its submission has returned
        self._calling = ThreadPoolExecutor(calls, thread_name_prefix="call")
        self._parsing = ThreadPoolExecutor(PARSERS, thread_name_prefix="parse")
        self._trying = ThreadPoolExecutor(PARSERS, thread_name_prefix="try")  # operators that wait for experiments
        self._asking: set[int] = set()
        self._seconds: dict[bool, float] = {}  # that a proposal takes that asks a model (True), and judging (False)
        self._arrivals: queue.SimpleQueue[StepResult | Record] = queue.SimpleQueue()
        self._arrived: deque[StepResult] = deque()  # taken out of the queue, still to be served

    @property
    def asking(self) -> int:
        """How many candidates wait for a model."""
        return len(self._asking)

    @property
    def outlasts(self) -> float:
        """How many evaluations, one after the other, take as long as a proposal that asks a model; 0 before both are known."""
        asking, judging = self._seconds.get(True, 0.0), self._seconds.get(False, 0.0)
        return asking / judging if judging else 0.0

    def begin(self, step: Step, candidate: Candidate, work: Callable[[], Any]) -> None:
        """Begin a step in the threads that it belongs to."""
        self.in_flight[candidate.number] = step
        asks = step == "propose" and bool(candidate.choice.model)
        if asks:
            self._asking.add(candidate.number)
        tries = step == "propose" and candidate.experiments is not None
        pool = self._calling if asks else self._trying if tries else self._parsing
        self._follow(pool.submit(work), step, candidate, None if tries and not asks else asks)

    def submit(self, step: Step, candidate: Candidate, job: Job) -> None:
        """Hand a job to the executor when a worker is free for it; a probe goes first."""
        self.in_flight[candidate.number] = step
        timed = False if step == "judge" else None
        with self._lock:
            queue = self._ready.append if step == "judge" else self._ready.appendleft
            queue((job, lambda done: self._follow(done, step, candidate, timed)))
        self._fill()

    def experiment(self, job: Job) -> Future[Evaluation]:
        """Hand a job to the executor before what waits to be judged: an operator waits for it."""
        answer: Future[Evaluation] = Future()

        def ended(done: Future[Evaluation]) -> None:
            done.add_done_callback(partial(_copy, answer))

        with self._lock:
            self._waiting.add(answer)
            self._ready.appendleft((job, ended))
        answer.add_done_callback(self._waiting.discard)
        self._fill()
        return answer

    def _fill(self) -> None:
        """Hand what is ready to the executor, as far as it has workers that are free."""
        with self._lock:
            if self._executor is None:
                self._executor = self._open()
            while self._ready and self._busy < self._executor.capacity:
                self._busy += 1
                job, follow = self._ready.popleft()
                done = self._executor.submit(job)
                follow(done)
                done.add_done_callback(self._freed)

    def _freed(self, _done: Future[Any]) -> None:
        with self._lock:
            self._busy -= 1
        self._fill()

    def _follow(self, done: Future[Any], step: Step, candidate: Candidate, timed: bool | None) -> None:
        """Tell when a step has ended; of steps that ask a model (True) and of judging (False) the time is kept."""
        began = time.monotonic()

        def ended(done: Future[Any]) -> None:
            if timed is not None:
                seconds = time.monotonic() - began
                mean = self._seconds.get(timed, seconds)
                self._seconds[timed] = mean + (seconds - mean) / LATELY
            self._arrivals.put(StepResult(step, candidate, done.result))

        done.add_done_callback(ended)

    def keep(self, record: Record) -> None:
        """Hand on what was paid for: it is stored before anything else happens to it."""
        self._arrivals.put(record)

    def recorded(self, proposal: int) -> Records:
        """Return nothing: what is paid for a new proposal is still to come."""
        return Records()

    def next(self, seconds: float) -> Arrived:
        """Return what arrives next, a step result or all records that are there; None when nothing does in so many seconds."""
        arrived = self._arrived.popleft() if self._arrived else self._await(seconds)
        if arrived is None:
            return None
        if isinstance(arrived, StepResult):
            del self.in_flight[arrived.candidate.number]
            self._asking.discard(arrived.candidate.number)
            return arrived
        records: list[Record] = [arrived]
        while not self._arrivals.empty():
            more = self._arrivals.get()
            (self._arrived if isinstance(more, StepResult) else records).append(more)  # type: ignore[arg-type]
        return Records(
            tuple(record for record in records if isinstance(record, CallRecord)),
            tuple(record for record in records if isinstance(record, ExperimentRecord)),
        )

    def _await(self, seconds: float) -> StepResult | Record | None:
        began = time.monotonic()
        try:
            return self._arrivals.get(timeout=seconds)
        except queue.Empty:
            return None
        finally:
            self.waited += time.monotonic() - began

    def close(self) -> None:
        """Let go of the threads; what has not begun is dropped, calls under way are not waited for."""
        for pool in (self._calling, self._parsing, self._trying):
            pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._ready.clear()
        if self._executor is not None:
            self._executor.close()
        for answer in list(self._waiting):
            answer.cancel()


def _copy(answer: Future[Evaluation], done: Future[Evaluation]) -> None:
    """Give one future what came of another."""
    if answer.cancelled():
        return
    if done.cancelled():
        answer.cancel()
    elif (error := done.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(done.result())
