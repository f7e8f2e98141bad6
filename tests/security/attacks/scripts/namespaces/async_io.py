"""Wants kernel queues for its reads and writes (io_setup(2)). Success: it has one. Plain: the kernel may not offer it."""

import ctypes

from outside import attempt, syscall


def method(problem):
    return attempt(problem, lambda: syscall("io_setup", 8, ctypes.byref(ctypes.c_ulong())))
