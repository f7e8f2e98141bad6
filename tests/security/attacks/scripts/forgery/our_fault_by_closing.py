"""Wants the same by going silent: closes everything, then stays. Success: LOST.

Plain: there is no such status.
"""

import os


def method(problem):
    os.closerange(0, 256)
    while True:
        pass
