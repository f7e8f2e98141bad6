"""Wants to signal another process of the user. Success: the victim noted it."""

import os
import signal

from outside import VICTIM, attempt


def method(problem):
    return attempt(problem, lambda: os.kill(VICTIM, signal.SIGUSR1))
