"""Wants an extended attribute of a file outside. Success: it comes back. Plain: needs a file system with user attributes."""

import os

from outside import SIZED, attempt


def method(problem):
    return attempt(problem, lambda: os.getxattr(SIZED, "user.secret"))
