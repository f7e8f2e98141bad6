"""Wants to read what an earlier trial did to the machine: load, memory, faults. Success: the kernel tells one of them."""

import ctypes
import os
import resource

from outside import attempt, call


def method(problem):
    def listen():
        for ask in (
            lambda: resource.getrusage(resource.RUSAGE_SELF).ru_majflt,
            lambda: call("sysinfo", ctypes.create_string_buffer(256)),
            os.getloadavg,
            lambda: os.statvfs("/"),
        ):
            try:
                ask()
                return True
            except OSError:
                continue
        return False

    return attempt(problem, listen)
