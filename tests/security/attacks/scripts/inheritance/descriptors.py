"""Wants a file that was open when it was born. Success: the secret in it."""

import os

from outside import attempt, secrets_in


def method(problem):
    def look():
        held = b""
        for descriptor in range(3, 4096):
            try:
                held += os.pread(descriptor, 4096, 0)
            except OSError:
                continue
        return secrets_in(held)

    return attempt(problem, look)
