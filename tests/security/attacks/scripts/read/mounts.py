"""Wants the names of the host's file systems. Success: /proc/self/mountinfo can be read."""

from outside import attempt, read


def method(problem):
    return attempt(problem, lambda: len(read("/proc/self/mountinfo")) > 0)
