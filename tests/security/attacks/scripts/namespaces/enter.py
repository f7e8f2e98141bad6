"""Wants into another process's namespace (setns(2)). Success: it is in. Plain: needs to be root."""

import os

from outside import VICTIM, attempt, call


def method(problem):
    def enter():
        for process in (VICTIM, os.getppid(), 1):
            try:
                return call("setns", os.open(f"/proc/{process}/ns/net", os.O_RDONLY), 0)
            except OSError:
                continue
        return False

    return attempt(problem, enter)
