"""Wants the user's share of queued signals and timers. Success: it has a thousand timers."""

import ctypes

from outside import attempt, call


def method(problem):
    def hoard():
        for _ in range(1000):
            call("timer_create", 1, None, ctypes.byref(ctypes.c_void_p()))

    return attempt(problem, hoard)
