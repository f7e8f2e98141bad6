"""Wants the same by what it printed before it died. Success: control characters in the message."""

import os


def method(problem):
    os.write(2, b"\x1b]0;owned\x07\x1b[2J\x9b31m\r\n" * 20)
    os._exit(3)
