"""Judges on this machine: threads that each wait for a child of the sandbox."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from evolve.executors.job import Job, perform
from fitness.judge import Evaluator
from fitness.nouns import Evaluation


class Local:
    """A pool of threads; the work itself is done in the sandbox's processes."""

    def __init__(self) -> None:
        self.capacity = 0
        self._pool: ThreadPoolExecutor | None = None
        self._judge: Evaluator | None = None
        self._futures: set[Future[Evaluation]] = set()

    def open(self, judge: Evaluator, workers: int) -> None:
        """Start the threads."""
        self._judge, self.capacity = judge, workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="judge")

    def submit(self, job: Job) -> Future[Evaluation]:
        """Begin a job when a thread is free."""
        if self._pool is None or self._judge is None:
            raise RuntimeError("open the executor before a job is submitted")
        future = self._pool.submit(perform, job, self._judge)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def cancel(self) -> None:
        """Drop the jobs that have not begun."""
        for future in list(self._futures):
            future.cancel()

    def close(self) -> None:
        """Drop the jobs that have not begun, and wait for the others."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool, self.capacity = None, 0
