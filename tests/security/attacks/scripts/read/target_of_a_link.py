"""Wants the text of a symbolic link outside. Success: it comes back."""

import os

from outside import LINK, attempt


def method(problem):
    return attempt(problem, lambda: os.readlink(LINK).encode())
