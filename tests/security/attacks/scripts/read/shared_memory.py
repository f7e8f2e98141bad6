"""Wants what lies in System V shared memory and in /dev/shm. Success: a secret comes back."""

import ctypes

from outside import LIBC, SHARED, SHARED_FILE, attempt, read, secrets_in


def method(problem):
    def look():
        try:
            return secrets_in(read(SHARED_FILE))
        except OSError:
            LIBC.shmat.restype = ctypes.c_void_p
            address = LIBC.shmat(SHARED, None, 0o10000)
            return False if address == ctypes.c_void_p(-1).value else ctypes.string_at(address, 64)

    return attempt(problem, look)
