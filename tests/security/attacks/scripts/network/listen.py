"""Wants to be called. Success: it listens on a port."""

import socket

from outside import attempt


def method(problem):
    def listen():
        server = socket.socket()
        server.bind(("127.0.0.1", 0))
        server.listen()

    return attempt(problem, listen)
