"""Wants the code that draws and scores the labels. Success: the repository's own bytes come back."""

import os

from outside import REPOSITORY, attempt, read


def method(problem):
    return attempt(problem, lambda: read(os.path.join(REPOSITORY, "fitness", "judge.py")))
