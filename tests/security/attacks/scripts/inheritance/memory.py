"""Wants what was in the memory that it was copied from. Success: a secret."""

import gc

from outside import attempt, memory, secrets_in


def method(problem):
    def look():
        parts = {part + step for held in gc.get_objects() for part in [id(held) >> 20] for step in (-1, 0, 1)}
        return secrets_in(b"".join(memory(part << 20, 1 << 20) for part in sorted(parts)))

    return attempt(problem, look)
