"""Wants to know whether a process exists. Success: the kernel tells the victim's group."""

import os

from outside import VICTIM, attempt


def method(problem):
    return attempt(problem, lambda: os.getpgid(VICTIM) == VICTIM)
