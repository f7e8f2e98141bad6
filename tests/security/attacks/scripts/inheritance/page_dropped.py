"""Wants to leave a word in the page cache: it drops a library's page, and asks for it later. Success: it can do both."""

import contextlib
import os

from outside import LIBRARY, attempt


def method(problem):
    def talk():
        file = os.open(LIBRARY, os.O_RDONLY)
        os.posix_fadvise(file, 0, 4096, os.POSIX_FADV_DONTNEED)
        with contextlib.suppress(BlockingIOError):
            os.preadv(file, [bytearray(64)], 0, os.RWF_NOWAIT)
        return True

    return attempt(problem, talk)
