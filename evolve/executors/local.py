"""Judging on this machine: threads that each wait for a child of the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Local:
    """A pool of threads; the work itself is done in the sandbox's processes."""

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="judge")

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Begin a piece of work when a thread is free."""
        return self._pool.submit(work)

    def close(self) -> None:
        """Drop what has not begun and wait for the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)
