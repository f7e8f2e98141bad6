"""Where methods are judged: a table of executors, loaded when asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from importlib import import_module
from typing import Protocol, TypeVar

from evolve.errors import UsageError

T = TypeVar("T")
TABLE = {"local": "evolve.executors.local:Local"}


class Executor(Protocol):
    """Runs judgements, several at once."""

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Begin a piece of work when a worker is free."""
        ...

    def close(self) -> None:
        """Let go of the workers; work that has not begun is dropped."""
        ...


def load(name: str, workers: int) -> Executor:
    """Return the executor of this name. Raises UsageError, listing the known ones, when there is none."""
    if name not in TABLE:
        raise UsageError(f"there is no executor named {name!r}: the executors are {', '.join(TABLE)}")
    module, _, attribute = TABLE[name].partition(":")
    executor: Executor = getattr(import_module(module), attribute)(workers)
    return executor
