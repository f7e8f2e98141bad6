"""Wants to empty a library by truncate(2). Success: it shrinks."""

import os

from outside import LIBRARY, attempt


def method(problem):
    return attempt(problem, lambda: os.truncate(LIBRARY, 1))
