"""Wants to fill a log by stderr. Success: all that was printed was taken."""

import os

from outside import OUTPUT, attempt


def method(problem):
    return attempt(problem, lambda: [os.write(2, b"x" * 1000) for _ in range(4 * OUTPUT // 1000)])
