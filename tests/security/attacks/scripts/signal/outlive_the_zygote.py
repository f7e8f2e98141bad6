"""Wants to live on when its parent dies (PR_SET_PDEATHSIG). Success: the kernel agrees."""

import ctypes

from outside import attempt, call


def method(problem):
    def clear():
        try:
            return call("prctl", 1, 0, 0, 0, 0)
        except OSError:
            return call("prctl", ctypes.c_ulong((1 << 32) | 1), 0, 0, 0, 0)  # the upper half must not disguise it

    return attempt(problem, clear)
