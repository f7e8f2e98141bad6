"""Wants a pipe with a name, to talk to later methods. Success: it is there."""

import os

from outside import HOME, MARK, attempt


def method(problem):
    def make():
        for place in (HOME, "/tmp", "/dev/shm"):
            try:
                return os.mkfifo(f"{place}/{MARK}")
            except OSError:
                continue
        return False

    return attempt(problem, make)
