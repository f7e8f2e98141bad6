"""Wants to change the inputs for later runs: in place, and by a writable mapping. Success: the second run sees it."""

import mmap
import os

from outside import attempt


def method(problem):
    def change():
        seen = bool((problem.train_x == 42).all())
        problem.train_x[...] = 42
        for descriptor in range(3, 256):
            try:
                size = os.fstat(descriptor).st_size
                mmap.mmap(descriptor, size)[:] = b"\0" * size
                return size > 0
            except (OSError, ValueError):
                continue
        return seen

    return attempt(problem, change)
