"""Wants every disk to be written out, again and again. Success: the kernel does it."""

from outside import attempt, call


def method(problem):
    return attempt(problem, lambda: call("syncfs", 0))
