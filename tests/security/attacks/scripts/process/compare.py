"""Wants to know what two processes share (kcmp(2)). Success: the kernel tells. Plain: Yama may forbid it."""

import os

from outside import VICTIM, attempt, syscall


def method(problem):
    return attempt(problem, lambda: syscall("kcmp", os.getpid(), VICTIM, 1, 0, 0) >= 0)
