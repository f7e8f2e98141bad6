"""Judging a list of methods side by side: the seeds before the search, the champion and the human baselines after it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import TypeVar

from archives.nouns import MethodRecord
from evolve.executors import Executor
from fitness.judge import Cancelled

T = TypeVar("T")
IDLE = 0.2  # seconds between looks at the stop flag while something is awaited


class Batch:
    """The same work on several methods.

    Attributes:
        waited: seconds spent waiting for others; the rest is the engine's own share.
    """

    def __init__(self, executor: Executor, stop: threading.Event, tick: Callable[[], None]) -> None:
        self._executor, self._stop, self._tick = executor, stop, tick
        self.waited = 0.0

    def run(self, methods: Sequence[MethodRecord], work: Callable[[MethodRecord], T]) -> Iterator[tuple[MethodRecord, T]]:
        """Yield each method with what came of it as it finishes; end early when the run is stopping.

        `tick` is called meanwhile; the executor is closed at the end.
        """
        try:
            in_flight = {self._executor.submit(partial(work, method)): method for method in methods}
            stopping = False
            while in_flight and not stopping:
                stopping = self._stop.is_set()
                for future in self._finished(in_flight):
                    method = in_flight.pop(future)
                    with contextlib.suppress(Cancelled):
                        yield method, future.result()
        finally:
            self._executor.close()

    def _finished(self, in_flight: dict[Future[T], MethodRecord]) -> list[Future[T]]:
        """Wait a moment; return what has finished, in the order it was asked for."""
        self._tick()
        began = time.monotonic()
        done, _ = wait(in_flight, timeout=IDLE, return_when=FIRST_COMPLETED)
        self.waited += time.monotonic() - began
        return [future for future in in_flight if future in done]
