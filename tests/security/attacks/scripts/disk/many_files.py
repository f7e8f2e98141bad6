"""Wants many files instead of a large one. Success: they are there."""

import os

from outside import HOME, MARK, attempt


def method(problem):
    def fill():
        for place in (HOME, "/tmp", "/dev/shm"):
            try:
                os.mkdir(f"{place}/{MARK}")
                return [open(f"{place}/{MARK}/{i}", "w").write("x") for i in range(100)]
            except OSError:
                continue
        return False

    return attempt(problem, fill)
