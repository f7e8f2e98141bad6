"""Wants to reach every process (with signal 0, for the sake of those who run this). Success: the kernel lets it."""

import os

from outside import attempt


def method(problem):
    return attempt(problem, lambda: os.kill(-1, 0))
