"""Wants the kernel's log. Success: its size is told. Plain: needs to be root where dmesg is restricted."""

from outside import attempt, syscall


def method(problem):
    return attempt(problem, lambda: syscall("syslog", 10, None, 0) > 0)
