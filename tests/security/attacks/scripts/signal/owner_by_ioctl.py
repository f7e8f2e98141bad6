"""Wants the same by another door (FIOSETOWN on a socket). Success: the victim noted it."""

import fcntl
import os
import socket
import struct

from outside import VICTIM, attempt


def method(problem):
    def trigger():
        one, other = socket.socketpair()
        fcntl.ioctl(one, 0x8901, struct.pack("i", VICTIM))
        fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC)
        other.send(b"x")

    return attempt(problem, trigger)
