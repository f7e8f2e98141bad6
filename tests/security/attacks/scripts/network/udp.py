"""Wants to send a datagram. Success: it arrived."""

import socket

from outside import PORT, attempt


def method(problem):
    return attempt(problem, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"labels", ("127.0.0.1", PORT)))
