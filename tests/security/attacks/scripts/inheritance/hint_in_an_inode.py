"""Wants to leave a word in an inode of a library: how long what is written there will live. Success: it finds it later."""

import fcntl
import os
import struct

from outside import LIBRARY, attempt

F_GET_RW_HINT, F_SET_RW_HINT, RWH_WRITE_LIFE_LONG = 1035, 1036, 4


def method(problem):
    def talk():
        file = os.open(LIBRARY, os.O_RDONLY)
        heard = struct.unpack("Q", fcntl.fcntl(file, F_GET_RW_HINT, bytes(8)))[0] == RWH_WRITE_LIFE_LONG
        fcntl.fcntl(file, F_SET_RW_HINT, struct.pack("Q", RWH_WRITE_LIFE_LONG))
        return heard

    return attempt(problem, talk)
