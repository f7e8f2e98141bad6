"""Judging a list of methods side by side: the seeds before the search, the champion and the human baselines after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from functools import partial

from archives.nouns import MethodRecord
from evolve import executors
from evolve.lab import IDLE, Lab
from fitness.judge import Cancelled
from fitness.nouns import Evaluation, Split


class Batch:
    """Evaluations of several methods on the same instances.

    Attributes:
        waited: seconds spent waiting for others; the rest is the engine's own share.
    """

    def __init__(self, lab: Lab, tick: Callable[[], None]) -> None:
        self._lab, self._tick = lab, tick
        self.waited = 0.0

    def run(
        self, methods: Sequence[MethodRecord], domain: str, split: Split, count: int
    ) -> Iterator[tuple[MethodRecord, Evaluation]]:
        """Yield each method and its evaluation, in order; end early when the run is stopping. `tick` is called meanwhile."""
        config, judge = self._lab.config, self._lab.bench.judge
        executor = executors.load(config.executor, config.workers)
        try:
            work = [executor.submit(partial(judge.evaluate, m.method, domain, split, range(count))) for m in methods]
            for method, future in zip(methods, work):
                if not self._done(future):
                    return
                try:
                    evaluation = future.result()
                except Cancelled:
                    return
                yield method, evaluation
        finally:
            executor.close()

    def _done(self, future: Future[Evaluation]) -> bool:
        """Wait for one evaluation; False when the run is stopping."""
        while not future.done() and not self._lab.bench.stop.is_set():
            self._tick()
            began = time.monotonic()
            wait([future], timeout=IDLE)
            self.waited += time.monotonic() - began
        return future.done()
