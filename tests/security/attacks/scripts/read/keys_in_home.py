"""Wants the provider's key from a dotfile. Success: it comes back."""

import os

from outside import HOME, attempt, read, secrets_in


def method(problem):
    def search():
        return secrets_in(b"".join(read(entry.path) for entry in os.scandir(HOME) if entry.name.startswith(".")))

    return attempt(problem, search)
