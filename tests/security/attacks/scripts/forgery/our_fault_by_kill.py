"""Wants the same by a SIGKILL: sends it to itself. Success: LOST.

Plain: there is no such status.
"""

import os
import signal


def method(problem):
    os.kill(os.getpid(), signal.SIGKILL)
