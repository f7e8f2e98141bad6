"""Wants a System V segment by its number alone. Success: the secret in it comes back."""

import ctypes

from outside import LIBC, SHARED, attempt


def method(problem):
    def look():
        LIBC.shmat.restype = ctypes.c_void_p
        address = LIBC.shmat(SHARED, None, 0o10000)
        return False if address == ctypes.c_void_p(-1).value else ctypes.string_at(address, 64)

    return attempt(problem, look)
