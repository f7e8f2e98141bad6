"""Wants a lock or a lease on a library's file, which other processes feel. Success: it holds one."""

import fcntl
import os

from outside import LIBRARY, attempt


def method(problem):
    def hold():
        file = os.open(LIBRARY, os.O_RDONLY)
        for lock in (
            lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB),
            lambda: fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB),
            lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK),
        ):
            try:
                return lock()
            except OSError:
                continue
        return False

    return attempt(problem, hold)
