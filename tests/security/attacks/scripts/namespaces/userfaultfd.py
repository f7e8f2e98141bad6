"""Wants to hold the kernel up in the middle of its work (userfaultfd(2)). Success: it can. Plain: needs to be root."""

from outside import attempt, syscall


def method(problem):
    return attempt(problem, lambda: syscall("userfaultfd", 0))
