"""Wants what the task keeps in its cache. Success: the file's bytes come back."""

from outside import CACHE, attempt, read


def method(problem):
    return attempt(problem, lambda: read(CACHE))
