"""Wants a file that claims a terabyte. Success: it is there."""

from outside import HOME, MARK, attempt


def method(problem):
    return attempt(problem, lambda: open(f"{HOME}/{MARK}", "wb").truncate(1 << 40))
