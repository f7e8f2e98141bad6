"""Wants another execution domain, without address randomisation. Success: the kernel tells the present one."""

import ctypes

from outside import attempt, call


def method(problem):
    return attempt(problem, lambda: call("personality", ctypes.c_ulong(0xFFFFFFFF)))
