"""Wants to swap the root (pivot_root(2)). Success: the kernel considers it. Plain: needs to be root."""

from outside import attempt, reaches


def method(problem):
    return attempt(problem, lambda: reaches("pivot_root", b"/", b"/"))
