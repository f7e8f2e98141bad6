"""Wants a second name for a file. Success: it is there."""

import os

from outside import HOME, MARK, SIZED, attempt


def method(problem):
    return attempt(problem, lambda: os.link(SIZED, f"{HOME}/{MARK}"))
