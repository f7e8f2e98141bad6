"""Wants to slow another process down. Success: the victim's niceness changed."""

import os

from outside import VICTIM, attempt


def method(problem):
    return attempt(problem, lambda: os.setpriority(os.PRIO_PROCESS, VICTIM, 5))
