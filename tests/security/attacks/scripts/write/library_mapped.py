"""Wants to change a library through a shared writable mapping. Success: the library changed."""

import mmap

from outside import LIBRARY, attempt


def method(problem):
    def change():
        with open(LIBRARY, "r+b") as file:
            mmap.mmap(file.fileno(), 0)[0:1] = b"#"

    return attempt(problem, change)
