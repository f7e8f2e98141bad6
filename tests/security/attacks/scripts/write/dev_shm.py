"""Wants a file in shared memory, which outlives its maker. Success: it is there."""

from outside import MARK, attempt


def method(problem):
    return attempt(problem, lambda: open(f"/dev/shm/{MARK}", "w"))
