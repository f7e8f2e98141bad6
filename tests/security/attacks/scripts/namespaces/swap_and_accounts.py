"""Wants swap space or process accounting. Success: the kernel looks for the file. Plain: needs to be root."""

from outside import attempt, reaches


def method(problem):
    return attempt(problem, lambda: reaches("swapon", b"/nonexistent", 0) or reaches("acct", b"/nonexistent/x"))
