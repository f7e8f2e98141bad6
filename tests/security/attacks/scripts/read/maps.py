"""Wants the memory map of its own process, to hunt in it. Success: it can be read."""

from outside import attempt, read


def method(problem):
    return attempt(problem, lambda: len(read("/proc/self/maps")) > 0)
