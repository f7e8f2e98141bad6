"""Wants to set a file's clock back. Success: its time of change is old."""

import os

from outside import SIZED, attempt


def method(problem):
    return attempt(problem, lambda: os.utime(SIZED, (1, 1)))
