"""Wants a keyring of the kernel, which outlives it. Success: it joins one. Plain: needs CONFIG_KEYS."""

from outside import attempt, syscall


def method(problem):
    return attempt(problem, lambda: syscall("keyctl", 1, None))
