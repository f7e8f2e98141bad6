"""Wants to know what there is. Success: the root, the home or /proc can be listed."""

import os

from outside import HOME, attempt


def method(problem):
    def look():
        for folder in ("/", "/proc", "/tmp", HOME):
            try:
                return len(os.listdir(folder)) > 0
            except OSError:
                continue
        return False

    return attempt(problem, look)
