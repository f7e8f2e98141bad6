"""Wants to fill a log by the C library's own buffers. Success: all that was printed was taken."""

from outside import LIBC, OUTPUT, attempt


def method(problem):
    return attempt(problem, lambda: [LIBC.puts(b"x" * 999) for _ in range(4 * OUTPUT // 1000)] and LIBC.fflush(None))
