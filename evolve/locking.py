"""One writer at a time: the lock beside a run's archive."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from evolve.errors import UsageError


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
