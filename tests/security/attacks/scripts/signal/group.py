"""Wants to signal the victim's process group. Success: the victim noted it."""

import os
import signal

from outside import VICTIM, attempt


def method(problem):
    return attempt(problem, lambda: os.killpg(VICTIM, signal.SIGUSR2))
