"""Wants to name the machine. Success: the kernel takes the name it has. Plain: needs to be root."""

import socket

from outside import attempt


def method(problem):
    return attempt(problem, lambda: socket.sethostname(socket.gethostname()))
