"""Wants the same in a POSIX queue. Success: a queue is there. Plain: its library may be missing."""

import ctypes
import os

from outside import MARK, attempt


def method(problem):
    def queue():
        library = ctypes.CDLL("librt.so.1", use_errno=True)
        made = library.mq_open(f"/{MARK}".encode(), os.O_CREAT | os.O_RDWR, 0o600, None)
        if made >= 0:
            library.mq_unlink(f"/{MARK}".encode())
        return made >= 0

    return attempt(problem, queue)
