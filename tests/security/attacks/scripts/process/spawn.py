"""Wants to run a program by posix_spawn(3). Success: it ran."""

import os

from outside import attempt


def method(problem):
    return attempt(problem, lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)[1] == 0)
