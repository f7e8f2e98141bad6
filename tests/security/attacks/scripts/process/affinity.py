"""Wants to crowd another process onto one core. Success: the victim's set of cores changed."""

import os

from outside import VICTIM, attempt


def method(problem):
    return attempt(problem, lambda: os.sched_setaffinity(VICTIM, {0}))
