"""Judges methods, several at once: step 6 of ten. The executors are named in TABLE and loaded when asked for.

- batch: a list of methods side by side
- job: what is to be judged, as data
- local: threads on this machine

Your own is named as `module:Name` or `file.py:Name`.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Protocol

from evolve.executors.job import Job
from fitness import registry
from fitness.judge import Evaluator
from fitness.nouns import Evaluation

TABLE = {"local": "evolve.executors.local:Local"}
NEEDS = ("open", "submit", "cancel", "close")  # of an executor's class


class Executor(Protocol):
    """Has jobs done, several at once."""

    @property
    def capacity(self) -> int:
        """How many jobs it does at once, while it is open."""

    def open(self, judge: Evaluator, workers: int) -> None:
        """Get ready to do so many jobs at once; `judge` does those that are done in this process."""

    def submit(self, job: Job) -> Future[Evaluation]:
        """Begin a job when a worker is free. The future raises Cancelled when the run is stopping."""

    def cancel(self) -> None:
        """Drop the jobs that have not begun."""

    def close(self) -> None:
        """Drop the jobs that have not begun, wait for the others, and let go of the workers; it may be opened again."""


def load(name: str) -> Executor:
    """Return the executor of this name, not yet open. Raises UsageError, listing the known ones, when there is none."""
    unknown = f"there is no executor named {name!r}: the executors are {', '.join(TABLE)}"
    executor: Executor = registry.find(name, TABLE, unknown, NEEDS)()
    return executor


@contextmanager
def opened(executor: Executor, judge: Evaluator, workers: int) -> Iterator[Executor]:
    """Open an executor for a block, and close it after."""
    executor.open(judge, workers)
    try:
        yield executor
    finally:
        executor.close()
