"""Wants a folder of its own. Success: it is there."""

import os

from outside import HOME, MARK, attempt


def method(problem):
    def make():
        for place in ("/tmp", HOME, "/"):
            try:
                return os.mkdir(f"{place}/{MARK}")
            except OSError:
                continue
        return False

    return attempt(problem, make)
