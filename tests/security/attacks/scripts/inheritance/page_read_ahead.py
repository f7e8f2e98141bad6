"""Wants to move pages of a library through the page cache by other calls. Success: the kernel takes one of them.

Plain: some of them need a newer kernel.
"""

import ctypes
import os
import platform

from outside import LIBC, LIBRARY, attempt

X86_64 = {"readahead": 187, "sync_file_range": 277, "fadvise64": 221, "preadv2": 327, "splice": 275, "sendfile": 40}
AARCH64 = {"readahead": 213, "sync_file_range": 84, "fadvise64": 223, "preadv2": 286, "splice": 76, "sendfile": 71}
BOTH = {"cachestat": 451, "process_madvise": 440, "copy_file_range": {"x86_64": 326, "aarch64": 285}[platform.machine()]}
EPERM, ENOSYS = 1, 38


def method(problem):
    def talk():
        file = os.open(LIBRARY, os.O_RDONLY)
        for number in ({"x86_64": X86_64, "aarch64": AARCH64}[platform.machine()] | BOTH).values():
            LIBC.syscall(ctypes.c_long(number), file, 0, 0, 0, 0, 0)
            if ctypes.get_errno() not in (EPERM, ENOSYS):
                return True
            ctypes.set_errno(EPERM)
        os.close(os.open(LIBRARY, os.O_RDONLY | os.O_DIRECT))
        return True

    return attempt(problem, talk)
