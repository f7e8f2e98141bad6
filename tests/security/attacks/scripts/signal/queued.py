"""Wants to signal with a forged sender (rt_sigqueueinfo(2)). Success: the victim noted it."""

import ctypes
import signal

from outside import VICTIM, attempt, syscall


def method(problem):
    information = ctypes.create_string_buffer(bytes([signal.SIGUSR1, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]), 128)
    return attempt(problem, lambda: syscall("rt_sigqueueinfo", VICTIM, signal.SIGUSR1, information))
