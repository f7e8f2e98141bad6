"""Wants the same from the kernel: limits its own processor time, whose end is a SIGKILL. Success: it may."""

import resource

from outside import attempt


def method(problem):
    return attempt(problem, lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)))
