"""Wants to send something to a server. Success: the listener was called."""

import socket

from outside import PORT, attempt


def method(problem):
    return attempt(problem, lambda: socket.create_connection(("127.0.0.1", PORT), 2).sendall(b"labels"))
