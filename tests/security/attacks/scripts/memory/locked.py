"""Wants memory that cannot be swapped out. Success: 64 MiB are locked. Plain: the limit for users may be lower."""

import ctypes
import mmap

from outside import attempt, call


def method(problem):
    def lock():
        held = mmap.mmap(-1, 64 << 20)
        return call("mlock", ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(held))), ctypes.c_size_t(64 << 20))

    return attempt(problem, lock)
