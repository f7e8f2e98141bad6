"""Lets what would start processes work in this one: behind the walls there are no others. Loaded in the zygote.

Only what a library starts by itself, for a number that a method gave (workers=2, num_workers=2). Who makes a process by hand is
told that there are none (runner.py).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import starmap
from typing import Any

WORKERS = ("num_workers", "prefetch_factor", "persistent_workers", "multiprocessing_context", "timeout")  # of a DataLoader


def keep_to_one_process() -> None:
    """Have pools and data loaders do their work at once, in the order in which it was given."""
    import multiprocessing.pool

    from torch.utils.data import DataLoader

    multiprocessing.pool.Pool = multiprocessing.pool.ThreadPool = SerialPool  # type: ignore[assignment,misc]
    DataLoader.__init__ = _without_workers(DataLoader.__init__)  # type: ignore[method-assign]


def _without_workers(make: Callable[..., None]) -> Callable[..., None]:
    signature = inspect.signature(make)

    @functools.wraps(make)
    def alone(*values: Any, **named: Any) -> None:
        given = signature.bind(*values, **named)
        for name in WORKERS:
            given.arguments.pop(name, None)
        make(*given.args, **given.kwargs)

    return alone


class Done:
    """What an asynchronous call of a pool returns: here it is done when it returns."""

    def __init__(
        self, work: Callable[[], Any], callback: Callable[[Any], object] | None, mourn: Callable[[Any], object] | None
    ) -> None:
        self._error: Exception | None = None
        try:
            self._value = work()
        except Exception as error:
            self._error = error
        tell, news = (callback, self._value) if self._error is None else (mourn, self._error)
        if tell is not None:
            tell(news)

    def get(self, timeout: float | None = None) -> Any:
        """Return the value. Raises what the call raised."""
        if self._error is not None:
            raise self._error
        return self._value

    def wait(self, timeout: float | None = None) -> None:
        """Wait for nothing."""

    def ready(self) -> bool:
        """Tell that it is done."""
        return True

    def successful(self) -> bool:
        """Tell whether it raised nothing."""
        return self._error is None


class SerialPool:
    """Stands where multiprocessing.Pool and its ThreadPool do, with their calls."""

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: object = None,
    ) -> None:
        if initializer is not None:
            initializer(*initargs)

    def apply(self, func: Callable[..., Any], args: Sequence[Any] = (), kwds: Mapping[str, Any] | None = None) -> Any:
        """Call a function."""
        return func(*args, **(kwds or {}))

    def map(self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = None) -> list[Any]:
        """Call a function with each item."""
        return [func(item) for item in iterable]

    def starmap(self, func: Callable[..., Any], iterable: Iterable[Iterable[Any]], chunksize: int | None = None) -> list[Any]:
        """Call a function with the items of each item."""
        return list(starmap(func, iterable))

    def imap(self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int = 1) -> Iterator[Any]:
        """Call a function with each item, when it is asked for."""
        return map(func, iterable)

    imap_unordered = imap

    def apply_async(
        self, func: Any, args: Any = (), kwds: Any = None, callback: Any = None, error_callback: Any = None
    ) -> Done:
        """Do what apply does."""
        return Done(lambda: self.apply(func, args, kwds), callback, error_callback)

    def map_async(
        self, func: Any, iterable: Any, chunksize: Any = None, callback: Any = None, error_callback: Any = None
    ) -> Done:
        """Do what map does."""
        return Done(lambda: self.map(func, iterable), callback, error_callback)

    def starmap_async(
        self, func: Any, iterable: Any, chunksize: Any = None, callback: Any = None, error_callback: Any = None
    ) -> Done:
        """Do what starmap does."""
        return Done(lambda: self.starmap(func, iterable), callback, error_callback)

    def close(self) -> None:
        """Do nothing: there is nobody to wait for."""

    terminate = join = close

    def __enter__(self) -> SerialPool:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""
