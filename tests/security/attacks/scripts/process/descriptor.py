"""Wants another process's open file (pidfd_getfd(2)). Success: the secret in it. Plain: Yama may forbid it."""

import os

from outside import VICTIM, VICTIM_FILE, attempt, syscall


def method(problem):
    def steal():
        return os.pread(syscall("pidfd_getfd", os.pidfd_open(VICTIM), VICTIM_FILE, 0), 200, 0)

    return attempt(problem, steal)
