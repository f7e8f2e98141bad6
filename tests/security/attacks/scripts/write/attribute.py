"""Wants to leave a word in an extended attribute. Success: it is there. Plain: needs a file system with user attributes."""

import os

from outside import LIBRARY, MARK, attempt


def method(problem):
    return attempt(problem, lambda: os.setxattr(LIBRARY, "user.word", MARK.encode()))
