"""Wants to make a secret readable for everybody. Success: its mode changed."""

import os

from outside import SIZED, attempt


def method(problem):
    return attempt(problem, lambda: os.chmod(SIZED, 0o666))
