"""Wants to signal by a process descriptor. Success: the victim noted it."""

import os
import signal

from outside import VICTIM, attempt


def method(problem):
    return attempt(problem, lambda: signal.pidfd_send_signal(os.pidfd_open(VICTIM), signal.SIGUSR1))
