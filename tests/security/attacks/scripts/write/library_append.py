"""Wants to add a line to a library. Success: the library changed."""

from outside import LIBRARY, attempt


def method(problem):
    return attempt(problem, lambda: open(LIBRARY, "a").write("# more"))
