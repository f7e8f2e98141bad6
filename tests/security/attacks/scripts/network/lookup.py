"""Wants to leak a name to a resolver. Success: the resolver was asked."""

import socket

from outside import attempt


def method(problem):
    return attempt(problem, lambda: socket.getaddrinfo("localhost", 80))
