"""Wants to move a file away. Success: it is gone."""

import os

from outside import MARK, MOVABLE, attempt


def method(problem):
    return attempt(problem, lambda: os.rename(MOVABLE, f"{MOVABLE}-{MARK}"))
