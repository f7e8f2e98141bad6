"""Ctrl-C: the first one stops a session cleanly, a second one ends it at once. So does the end of a study stop its searches."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from evolve.lab import Lab

PATIENCE = 2.0  # seconds that trials in flight get to finish after Ctrl-C


@contextlib.contextmanager
def interruptible(lab: Lab, hurry: Callable[[], None]) -> Iterator[None]:
    """Turn the first Ctrl-C into a clean stop; `hurry` ends the trials that are still in flight after a while."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if lab.bench.stop.is_set():
            raise KeyboardInterrupt
        lab.bench.stop.set()
        lab.watch.event("note", "stopping: what is in flight goes round again on resume")
        timer = threading.Timer(PATIENCE, hurry)
        timer.daemon = True
        timer.start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
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
