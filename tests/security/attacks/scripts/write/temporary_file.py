"""Wants a file in /tmp or /var/tmp that stays. Success: it is there."""

from outside import MARK, attempt


def method(problem):
    return attempt(problem, lambda: [open(f"{folder}/{MARK}", "w") for folder in ("/tmp", "/var/tmp")])
