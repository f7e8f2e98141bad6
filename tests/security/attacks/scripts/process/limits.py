"""Wants to change another process's limits. Success: the victim's are lower."""

import resource

from outside import VICTIM, attempt


def method(problem):
    return attempt(problem, lambda: resource.prlimit(VICTIM, resource.RLIMIT_NOFILE, (99, 99)))
