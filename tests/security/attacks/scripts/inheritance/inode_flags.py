"""Wants to leave a word in the flags and the version of a library's inode. Success: the file system takes it, or tells it.

Plain: not every file system has them.
"""

import ctypes
import os

from outside import LIBC, LIBRARY, attempt

GETFLAGS, SETFLAGS, GETVERSION, SETVERSION = 0x80086601, 0x40086602, 0x80087601, 0x40087602
FSGETXATTR, FIEMAP, FIBMAP, FIOQSIZE, FS_LABEL = 0x801C581F, 0xC020660B, 1, 0x5460, 0x81009431
EPERM = 1


def method(problem):
    def talk():
        file = os.open(LIBRARY, os.O_RDONLY)
        for request in (GETFLAGS, SETFLAGS, GETVERSION, SETVERSION, FSGETXATTR, FIEMAP, FIBMAP, FIOQSIZE, FS_LABEL):
            if LIBC.ioctl(file, ctypes.c_ulong(request), ctypes.create_string_buffer(256)) >= 0 or ctypes.get_errno() != EPERM:
                return True
        return False

    return attempt(problem, talk)
