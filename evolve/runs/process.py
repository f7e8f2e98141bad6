"""Lets one process write to a run, by a lock beside its archive, and ends it cleanly on Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import FrameType

from archives.archive import holds_no_run
from archives.sqlite.place import check_new, make_folder, private, remove
from evolve.errors import EvolveError, UsageError
from evolve.files import new_names
from evolve.observer import Observer


@contextlib.contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the run's lock. Raises UsageError when another process works on the run, or a file that is no lock has its name."""
    with open(_locked(path), "rb"):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.unlink(f"{path}.lock")


def _locked(path: Path) -> int:
    """Return the open lock of a run."""
    for _ in range(3):  # `status` holds the lock for a moment to see whether anyone else does
        descriptor = _opened(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(path, descriptor):  # and was not removed by who held it until now
                return descriptor
        except BlockingIOError:
            time.sleep(0.1)
        os.close(descriptor)
    raise UsageError(f"another process is working on {path}: wait for it, or stop it with Ctrl-C")


def _opened(path: Path) -> int:
    try:
        descriptor = private(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise UsageError(f"cannot lock {path}: {path}.lock cannot be opened ({error.strerror})") from error
    if os.fstat(descriptor).st_size:
        os.close(descriptor)
        raise UsageError(
            f"cannot lock {path}: {path}.lock is a file with something in it; move it away, or name another archive"
        )
    return descriptor


def _is_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.lstat(f"{path}.lock"), os.fstat(descriptor))
    except FileNotFoundError:
        return False


_NAMES = 100  # that are tried for a run that nobody named


@contextlib.contextmanager
def claimed(db: Path | None) -> Iterator[Path]:
    """Hold the name of a new run, the one that was given or one in runs/ that nothing has: no other start can have it.

    No folder is left that nothing lies in. Raises EvolveError when the name is taken or cannot be used.
    """
    names = [db] if db is not None else list(islice(new_names(), _NAMES))
    for path in names:
        with contextlib.ExitStack() as held:
            try:
                _take(path, held)
            except EvolveError:
                if path == names[-1]:
                    raise
                continue
            yield path
            return


def _take(path: Path, held: contextlib.ExitStack) -> None:
    """Take the name of a run for as long as `held` is. Raises EvolveError when that cannot be."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{str(path)!a} is no name in UTF-8, so a run cannot be called that: name another file") from None
    if not holds_no_run(path):
        check_new(path)
    try:
        made = make_folder(path.parent)
    except OSError as error:
        why = f"cannot create the folder of {path}: {error.strerror}"
        raise UsageError(f"{why}; choose another place with --db") from error
    held.callback(_remove_empty, made)
    held.enter_context(only_writer(path))
    if holds_no_run(path):  # left by a start that was killed before its first record
        remove(path)
    check_new(path)


def _remove_empty(folders: Sequence[Path]) -> None:
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


PATIENCE = 2.0  # seconds that trials in flight get to finish after Ctrl-C


@contextlib.contextmanager
def stop_on_interrupt(stop: threading.Event, watch: Observer, kill_trials: Callable[[], None]) -> Iterator[None]:
    """Turn the first Ctrl-C into a clean stop; `kill_trials` ends the trials that are still in flight after a while.

    A kernel interrupt in a notebook is a Ctrl-C. Outside the main thread, to which Python delivers signals, nothing changes.
    The signal may come while a line is being printed, and no stream can be written to from inside a write: so a thread says
    what happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    sentence = "stopping: candidates in flight are tried again on resume"
    said = threading.Thread(target=watch.event, args=("note", sentence), daemon=True)
    timer = threading.Timer(PATIENCE, kill_trials)
    timer.daemon = True

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        said.start()
        timer.start()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if said.ident is not None:
            said.join()


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
