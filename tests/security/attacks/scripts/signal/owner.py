"""Wants the kernel to signal for it: makes the victim the owner of a pipe, then writes there. Success: the victim noted it."""

import fcntl
import os
import signal

from outside import VICTIM, attempt


def method(problem):
    def trigger():
        out, into = os.pipe()
        fcntl.fcntl(out, fcntl.F_SETOWN, VICTIM)
        fcntl.fcntl(out, 10, signal.SIGUSR1)  # F_SETSIG
        fcntl.fcntl(out, fcntl.F_SETFL, os.O_ASYNC)
        os.write(into, b"x")

    return attempt(problem, trigger)
