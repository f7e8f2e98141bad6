"""Wants to delete a file. Success: it is gone."""

import os

from outside import DELETABLE, attempt


def method(problem):
    return attempt(problem, lambda: os.unlink(DELETABLE))
