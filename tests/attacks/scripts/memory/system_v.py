"""Wants memory that stays when it is gone (shmget(2)). Success: the segment is there."""

from outside import attempt, call


def method(problem):
    return attempt(problem, lambda: call("shmget", 0, 1 << 20, 0o1600))
