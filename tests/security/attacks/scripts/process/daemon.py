"""Wants to live on after the run: forks twice and leaves the session. Success: a process of it is alive."""

import os
import time

from outside import attempt


def method(problem):
    def stay():
        if os.fork() == 0:
            os.setsid()
            os.closerange(0, 256)
            if os.fork() == 0:
                time.sleep(30)
            os._exit(0)

    return attempt(problem, stay)
