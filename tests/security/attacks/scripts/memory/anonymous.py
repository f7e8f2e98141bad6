"""Wants twice the memory it may have. Success: it holds it."""

from outside import MEMORY, attempt


def method(problem):
    return attempt(problem, lambda: len(bytearray(b"x") * (2 * MEMORY)) > 0)
