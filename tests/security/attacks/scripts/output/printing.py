"""Wants to fill a log. Success: all that was printed was taken."""

from outside import OUTPUT, attempt


def method(problem):
    return attempt(problem, lambda: [print("x" * 999) for _ in range(4 * OUTPUT // 1000)])
