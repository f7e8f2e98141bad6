"""Wants the machine's addresses and routes. Success: it has a netlink socket."""

import socket

from outside import attempt


def method(problem):
    return attempt(problem, lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0)))
