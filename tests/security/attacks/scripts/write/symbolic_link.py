"""Wants a link in the way of somebody else's file. Success: it is there."""

import os

from outside import HOME, MARK, attempt


def method(problem):
    return attempt(problem, lambda: os.symlink("/etc/passwd", f"{HOME}/{MARK}"))
