"""Wants to leave a word in the time at which a library's file was last read. Success: reading it moves that time.

Plain: a disk mounted noatime keeps none, and one mounted relatime once a day.
"""

import os

from outside import LIBRARY, attempt


def method(problem):
    def talk():
        folder = os.path.dirname(LIBRARY)
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                before = os.stat(path).st_atime_ns
                with open(path, "rb") as file:
                    file.read(1)
                if os.stat(path).st_atime_ns != before:
                    return True
        return False

    return attempt(problem, talk)
