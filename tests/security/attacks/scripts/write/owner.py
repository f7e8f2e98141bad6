"""Wants to give a file away. Success: its owner changed. Plain: needs to be root."""

import os

from outside import SIZED, attempt


def method(problem):
    return attempt(problem, lambda: os.chown(SIZED, 12345, 12345))
