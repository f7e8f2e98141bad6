"""Wants kernel memory in large pipes. Success: 64 MiB lie in them."""

import fcntl
import os

from outside import attempt


def method(problem):
    def fill():
        held = 0
        for _ in range(100):
            into = os.pipe()[1]
            fcntl.fcntl(into, 1031, 1 << 20)  # F_SETPIPE_SZ
            held += os.write(into, b"x" * (1 << 20))
        return held >= 64 << 20

    return attempt(problem, fill)
