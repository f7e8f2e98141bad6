"""Wants a key from the kernel's keyring. Success: the secret in it comes back. Plain: needs CONFIG_KEYS."""

import ctypes

from outside import KERNEL_KEY, attempt, syscall


def method(problem):
    def look():
        buffer = ctypes.create_string_buffer(64)
        syscall("keyctl", 11, KERNEL_KEY, buffer, 64)
        return buffer.raw

    return attempt(problem, look)
