"""Wants memory that the kernel itself cannot look into (memfd_secret(2)). Success: it gets some. Plain: it may be off."""

from outside import attempt, syscall


def method(problem):
    return attempt(problem, lambda: syscall("memfd_secret", 0))
