"""Wants a provider's key from its own environment. Success: it comes back."""

import ctypes
import os

from outside import LIBC, attempt, secrets_in


def method(problem):
    def look():
        held = repr(dict(os.environ)).encode()
        strings = ctypes.POINTER(ctypes.c_char_p).in_dll(LIBC, "environ")
        for i in range(1000):
            if not strings or strings[i] is None:
                break
            held += strings[i]
        return secrets_in(held)

    return attempt(problem, look)
