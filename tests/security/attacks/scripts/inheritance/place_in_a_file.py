"""Wants to leave a word in an open file's position, or in its flags, for later runs. Success: it finds it, the second time."""

import fcntl
import os

from outside import attempt

WORD = 12345


def method(problem):
    def talk():
        heard = False
        for descriptor in range(3, 256):
            try:
                if os.fstat(descriptor).st_size:
                    heard |= os.lseek(descriptor, 0, os.SEEK_CUR) == WORD
                    heard |= bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND)
                    os.lseek(descriptor, WORD, os.SEEK_SET)
                    fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND)
            except OSError:
                continue
        return heard

    return attempt(problem, talk)
