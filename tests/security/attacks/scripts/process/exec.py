"""Wants to become another program, one without walls. Success: a file that only the program makes."""

import os

from outside import HOME, MARK, attempt


def method(problem):
    return attempt(problem, lambda: os.execv("/bin/sh", ["sh", "-c", f"touch {HOME}/{MARK}"]))
