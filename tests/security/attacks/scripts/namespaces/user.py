"""Wants to be root in a user namespace of its own. Success: it is. Plain: they may be switched off."""

from outside import attempt, call


def method(problem):
    return attempt(problem, lambda: call("unshare", 0x10000000))
