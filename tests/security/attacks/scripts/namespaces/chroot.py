"""Wants another root. Success: it has one. Plain: needs to be root."""

import os

from outside import attempt


def method(problem):
    return attempt(problem, lambda: os.chroot("/"))
