"""Wants to drop a library's page by advice on memory, and to see whether it is there. Success: either of them works."""

import ctypes
import os

from outside import LIBRARY, attempt, call

PROT_READ, MAP_PRIVATE = 1, 2
COLD, PAGEOUT, POPULATE_READ, WILLNEED, REMOVE, COLLAPSE, MERGEABLE = 20, 21, 22, 3, 9, 25, 12


def method(problem):
    def talk():
        from outside import LIBC

        LIBC.mmap.restype = ctypes.c_void_p
        file = os.open(LIBRARY, os.O_RDONLY)
        page = LIBC.mmap(None, ctypes.c_size_t(4096), PROT_READ, MAP_PRIVATE, file, ctypes.c_long(0))
        tries = [("madvise", advice) for advice in (COLD, PAGEOUT, POPULATE_READ, WILLNEED, REMOVE, COLLAPSE, MERGEABLE)]
        for name, last in [*tries, ("mincore", ctypes.create_string_buffer(1)), ("mlock", None), ("msync", 2)]:
            try:
                call(name, ctypes.c_void_p(page), ctypes.c_size_t(4096), last)
                return f"{name} {last}".encode()
            except OSError as error:
                if error.errno != 1:
                    return f"{name} {error}".encode()
        return False

    return attempt(problem, lambda: bool(talk()))
