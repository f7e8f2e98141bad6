"""Wants to empty a library by opening it to read, with O_TRUNC. Success: it shrinks."""

import os

from outside import LIBRARY, attempt


def method(problem):
    return attempt(problem, lambda: os.open(LIBRARY, os.O_RDONLY | os.O_TRUNC))
