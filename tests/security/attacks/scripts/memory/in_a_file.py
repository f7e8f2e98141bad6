"""Wants memory that no limit of a process counts (memfd_create(2)). Success: it holds as much as it may have in all."""

import os

from outside import MEMORY, attempt


def method(problem):
    def hold():
        file = os.memfd_create("x")
        block = b"x" * (1 << 20)
        return [os.write(file, block) for _ in range(MEMORY >> 20)]

    return attempt(problem, hold)
