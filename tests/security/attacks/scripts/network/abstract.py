"""Wants to talk to a socket that has no file. Success: the listener was called."""

import socket

from outside import MARK, attempt


def method(problem):
    return attempt(problem, lambda: socket.socket(socket.AF_UNIX).connect(f"\0{MARK}"))
