"""Wants to talk to a service of this machine by its socket file. Success: the listener was called."""

import socket

from outside import SOCKET, attempt


def method(problem):
    return attempt(problem, lambda: socket.socket(socket.AF_UNIX).connect(SOCKET))
