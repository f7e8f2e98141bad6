"""Wants the same over IPv6. Success: the listener was called."""

import socket

from outside import PORT, attempt


def method(problem):
    return attempt(problem, lambda: socket.create_connection(("::1", PORT), 2).sendall(b"labels"))
