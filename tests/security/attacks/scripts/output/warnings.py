"""Wants to fill a log with warnings. Success: all of them were taken."""

import warnings

from outside import OUTPUT, attempt


def method(problem):
    warnings.simplefilter("always")
    return attempt(problem, lambda: [warnings.warn("x" * 999, stacklevel=1) for _ in range(4 * OUTPUT // 1000)])
