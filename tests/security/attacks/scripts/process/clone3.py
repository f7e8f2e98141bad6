"""Wants a child by the newest door. Success: it has one."""

import ctypes
import os
import struct

from outside import attempt, syscall


def method(problem):
    def clone():
        arguments = ctypes.create_string_buffer(struct.pack("QQQQQQQQ", 0, 0, 0, 0, 17, 0, 0, 0))
        child = syscall("clone3", arguments, 64)
        if child == 0:
            os._exit(0)
        return os.waitpid(child, 0)

    return attempt(problem, clone)
