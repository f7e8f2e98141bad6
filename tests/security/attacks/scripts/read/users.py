"""Wants the users of this machine. Success: /etc/passwd comes back."""

from outside import attempt, read


def method(problem):
    return attempt(problem, lambda: read("/etc/passwd"))
