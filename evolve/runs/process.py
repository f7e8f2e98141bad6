"""Lets one process write to a run, by a lock beside its archive, and ends it cleanly on Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from evolve.errors import UsageError
from evolve.observer import Observer


@contextlib.contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the run's lock. Raises UsageError when another process works on the run."""
    try:
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        raise UsageError(f"cannot lock {path}: {path}.lock cannot be opened ({error.strerror})") from error
    with os.fdopen(descriptor, "w") as lock:
        for attempt in (1, 2):  # `status` holds the lock for a moment to see whether anyone else does
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if attempt == 2:
                    raise UsageError(f"another process is working on {path}: wait for it, or stop it with Ctrl-C") from error
                time.sleep(0.2)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.unlink(f"{path}.lock")


PATIENCE = 2.0  # seconds that trials in flight get to finish after Ctrl-C


@contextlib.contextmanager
def stop_on_interrupt(stop: threading.Event, watch: Observer, kill_trials: Callable[[], None]) -> Iterator[None]:
    """Turn the first Ctrl-C into a clean stop; `kill_trials` ends the trials that are still in flight after a while.

    A kernel interrupt in a notebook is a Ctrl-C. Outside the main thread, to which Python delivers signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        watch.event("note", "stopping: candidates in flight are tried again on resume")
        timer = threading.Timer(PATIENCE, kill_trials)
        timer.daemon = True
        timer.start()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_with_parent() -> None:
    """Stop this process, as Ctrl-C would, when its standard input ends: the process that holds the other end is gone."""

    def follow() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True).start()


def is_running(path: Path) -> bool:
    """Tell whether a process is searching in this archive: it holds a lock on the file `<db>.lock` for as long as it lives."""
    try:
        with open(os.open(f"{path}.lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two readers never take each other for a run
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
