"""Wants a file without a name (O_TMPFILE), where nobody would look. Success: it can be written."""

import os

from outside import attempt


def method(problem):
    return attempt(problem, lambda: os.write(os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600), b"x" * 4096))
