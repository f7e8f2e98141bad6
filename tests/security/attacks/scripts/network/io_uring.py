"""Wants a ring that makes system calls past the filter. Success: it gets one. Plain: the kernel may not offer it."""

import ctypes

from outside import attempt, syscall


def method(problem):
    return attempt(problem, lambda: syscall("io_uring_setup", 8, ctypes.create_string_buffer(120)))
