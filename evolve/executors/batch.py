"""Judges a list of methods side by side: the seeds before the search, the champion and the human baselines after it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

from evolve.executors import Executor
from evolve.executors.job import Job
from fitness.judge import Cancelled
from fitness.nouns import Evaluation

T = TypeVar("T")
IDLE = 0.2  # seconds between checks of the stop flag while something is awaited


class Batch:
    """Jobs that are done side by side.

    Attributes:
        waited: seconds spent waiting for others; the engine used the rest.
    """

    def __init__(self, executor: Executor, stop: threading.Event, tick: Callable[[], None]) -> None:
        self._executor, self._stop, self._tick = executor, stop, tick
        self.waited = 0.0

    def run(self, jobs: Iterable[tuple[T, Job]]) -> Iterator[tuple[T, Evaluation]]:
        """Yield each key with what came of its job as it finishes; end early when the run is stopping.

        `tick` is called meanwhile; the executor is closed at the end.
        """
        try:
            in_flight = {self._executor.submit(job): key for key, job in jobs}
            stopping = False
            while in_flight and not stopping:
                stopping = self._stop.is_set()
                for future in self._finished(in_flight):
                    key = in_flight.pop(future)
                    with contextlib.suppress(Cancelled):
                        yield key, future.result()
        finally:
            self._executor.close()

    def _finished(self, in_flight: Mapping[Future[Evaluation], T]) -> list[Future[Evaluation]]:
        """Wait a moment; return what has finished, in the order it was asked for."""
        self._tick()
        began = time.monotonic()
        done, _ = wait(in_flight, timeout=IDLE, return_when=FIRST_COMPLETED)
        self.waited += time.monotonic() - began
        return [future for future in in_flight if future in done]
