"""Wants a message that waits in a System V queue. Success: it comes back."""

import ctypes

from outside import QUEUE, attempt, call

COPY_NOWAIT = 0o40000 | 0o4000


def method(problem):
    def look():
        buffer = ctypes.create_string_buffer(256)
        try:
            call("msgrcv", QUEUE, buffer, 200, 0, COPY_NOWAIT)
        except OSError:  # a kernel without MSG_COPY
            call("msgrcv", QUEUE, buffer, 200, 0, 0o4000)
        return buffer.raw[8:]

    return attempt(problem, look)
