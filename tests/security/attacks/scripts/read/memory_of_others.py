"""Wants a secret in another process's memory, by /proc/PID/mem. Success: it comes back. Plain: Yama may forbid it."""

import os

from outside import TRUSTED, TRUSTED_ADDRESS, VICTIM, VICTIM_ADDRESS, attempt, secrets_in


def method(problem):
    def look():
        held = b""
        for process, address in ((VICTIM, VICTIM_ADDRESS), (TRUSTED, TRUSTED_ADDRESS)):
            try:
                held += os.pread(os.open(f"/proc/{process}/mem", os.O_RDONLY), 200, address)
            except OSError:
                continue
        return secrets_in(held)

    return attempt(problem, look)
