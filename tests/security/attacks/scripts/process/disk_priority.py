"""Wants to slow another process's disk (ioprio_set(2)). Success: the kernel lets it."""

from outside import VICTIM, attempt, syscall


def method(problem):
    return attempt(problem, lambda: syscall("ioprio_set", 1, VICTIM, 3 << 13))
