"""Wants all the open files there are. Success: it has a thousand."""

import os

from outside import attempt


def method(problem):
    return attempt(problem, lambda: len([os.dup(1) for _ in range(1000)]) == 1000)
