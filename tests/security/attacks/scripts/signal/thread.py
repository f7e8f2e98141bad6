"""Wants to signal one thread (tgkill(2)). Success: the victim noted it."""

import signal

from outside import VICTIM, attempt, syscall


def method(problem):
    return attempt(problem, lambda: syscall("tgkill", VICTIM, VICTIM, signal.SIGUSR2))
