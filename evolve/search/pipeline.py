"""What is under way: model calls, parsing and judging, each with threads of its own; landings come in the order they end."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

from archives.nouns import CallRecord
from evolve.executors import Executor
from evolve.search.candidate import Candidate

Step = Literal["propose", "screen", "judge", "probe"]
LATELY = 8  # steps over which their mean time is taken, the newer counting more
PARSERS = 2  # threads that talk to the syntax worker: one is served while the other packs


@dataclass(frozen=True)
class StepResult:
    """A step of a candidate that has ended; `result` returns what came of it, or raises what it raised."""

    step: Step
    candidate: Candidate
    result: Callable[[], Any]


Arrived = StepResult | list[CallRecord] | None


class Pipeline(Protocol):
    """Where the steps of candidates are done.

    Attributes:
        flying: what every candidate under way is at, by number.
        waited: seconds spent waiting for others; the rest is the engine's own share.
    """

    in_flight: dict[int, Step]
    waited: float

    def submit(self, step: Step, candidate: Candidate, work: Callable[[], Any]) -> None:
        """Begin a step."""
        ...

    def on_reply(self, call: CallRecord) -> None:
        """Hand on an answered model call (from any thread)."""
        ...

    def replies(self, proposal: int) -> Sequence[CallRecord]:
        """Return the answers of a new proposal's model calls that are there before it asks: none, unless it is a replay."""
        ...


class LivePipeline:
    """The pipeline of a search that is really going on.

    No more is handed to the executor than it has workers for: a probe goes before all that waits to be judged, so that a
    would-be elite is placed before the candidates behind it are through.
    """

    def __init__(self, executor: Executor, workers: int, calls: int) -> None:
        self.in_flight: dict[int, Step] = {}
        self.waited = 0.0
        self._judging = executor
        self._free = workers
        self._ready: deque[tuple[Step, Candidate, Callable[[], Any]]] = deque()  # to be judged or probed
        self._lock = threading.RLock()  # of the two above; what ends at once lands before its submission has returned
        self._calling = ThreadPoolExecutor(calls, thread_name_prefix="call")
        self._parsing = ThreadPoolExecutor(PARSERS, thread_name_prefix="parse")
        self._asking: set[int] = set()
        self._seconds: dict[bool, float] = {}  # that a proposal takes that asks a model (True), and judging (False)
        self._arrivals: queue.SimpleQueue[StepResult | CallRecord] = queue.SimpleQueue()
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

    def submit(self, step: Step, candidate: Candidate, work: Callable[[], Any]) -> None:
        """Begin a step in the threads that it belongs to, or when a worker is free for it."""
        self.in_flight[candidate.number] = step
        if step in ("judge", "probe"):
            with self._lock:
                (self._ready.append if step == "judge" else self._ready.appendleft)((step, candidate, work))
            self._fill()
        elif step == "propose" and candidate.choice.model:
            self._asking.add(candidate.number)
            self._submit(self._calling, step, candidate, partial(self._timed, True, work))
        else:
            self._submit(self._parsing, step, candidate, work)

    def _fill(self) -> None:
        """Hand what is ready to the executor, as far as it has workers that are free."""
        with self._lock:
            while self._ready and self._free:
                self._free -= 1
                step, candidate, work = self._ready.popleft()
                self._submit(self._judging, step, candidate, partial(self._timed, False, work) if step == "judge" else work)

    def _submit(self, pool: Executor | ThreadPoolExecutor, step: Step, candidate: Candidate, work: Callable[[], Any]) -> None:
        def landed(done: Future[Any]) -> None:
            self._arrivals.put(StepResult(step, candidate, done.result))
            if pool is self._judging:
                with self._lock:
                    self._free += 1
                self._fill()

        pool.submit(work).add_done_callback(landed)

    def on_reply(self, call: CallRecord) -> None:
        """Hand on an answered model call: it is stored before anything else happens to it."""
        self._arrivals.put(call)

    def replies(self, proposal: int) -> Sequence[CallRecord]:
        """Return nothing: a new proposal's answers are still to come."""
        return ()

    def next(self, seconds: float) -> Arrived:
        """Return what arrives next, a landing or all answers that are there; None when nothing does within so many seconds."""
        arrived = self._arrived.popleft() if self._arrived else self._await(seconds)
        if not isinstance(arrived, CallRecord):
            if arrived is not None:
                del self.in_flight[arrived.candidate.number]
                self._asking.discard(arrived.candidate.number)
            return arrived
        answers = [arrived]
        while not self._arrivals.empty():
            more = self._arrivals.get()
            if isinstance(more, CallRecord):
                answers.append(more)
            else:
                self._arrived.append(more)
        return answers

    def _await(self, seconds: float) -> StepResult | CallRecord | None:
        began = time.monotonic()
        try:
            return self._arrivals.get(timeout=seconds)
        except queue.Empty:
            return None
        finally:
            self.waited += time.monotonic() - began

    def _timed(self, asks: bool, work: Callable[[], Any]) -> Any:
        """Do a step (in its thread), and count how long it took."""
        began = time.monotonic()
        try:
            return work()
        finally:
            seconds = time.monotonic() - began
            mean = self._seconds.get(asks, seconds)
            self._seconds[asks] = mean + (seconds - mean) / LATELY

    def close(self) -> None:
        """Let go of the threads; what has not begun is dropped, calls under way are not waited for."""
        self._calling.shutdown(wait=False, cancel_futures=True)
        self._parsing.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._ready.clear()
        self._judging.close()
