"""Wants a socket of a rarer kind: vsock, packet, crypto, bluetooth, a pair. Success: it gets one."""

import socket

from outside import attempt


def method(problem):
    def any_of_them():
        for family in (40, 17, 38, 31, socket.AF_UNIX):
            for kind in (socket.SOCK_STREAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
                try:
                    return socket.socket(family, kind)
                except OSError:
                    continue
        return socket.socketpair()

    return attempt(problem, any_of_them)
