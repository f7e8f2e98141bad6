"""Wants the same in shared mappings. Success: it holds it."""

import mmap

from outside import MEMORY, attempt


def method(problem):
    def hold():
        held = [mmap.mmap(-1, MEMORY // 4) for _ in range(8)]
        return [part.write(b"x" * len(part)) for part in held]

    return attempt(problem, hold)
