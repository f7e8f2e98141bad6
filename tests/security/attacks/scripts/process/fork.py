"""Wants a second process. Success: it has a child."""

import os

from outside import attempt


def method(problem):
    def fork():
        child = os.fork()
        if child == 0:
            os._exit(0)
        return os.waitpid(child, 0)

    return attempt(problem, fork)
