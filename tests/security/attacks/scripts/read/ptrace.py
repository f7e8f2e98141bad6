"""Wants the same as a debugger (ptrace(2)). Success: the secret's first word comes back. Plain: Yama may forbid it."""

import ctypes
import os

from outside import LIBC, TRUSTED, TRUSTED_ADDRESS, VICTIM, VICTIM_ADDRESS, attempt, call

PEEKDATA, ATTACH, DETACH = 2, 16, 17


def method(problem):
    def look():
        for process, address in ((VICTIM, VICTIM_ADDRESS), (TRUSTED, TRUSTED_ADDRESS)):
            try:
                call("ptrace", ATTACH, process, None, None)
            except OSError:
                continue
            os.waitpid(process, 0x40000000)  # __WALL
            LIBC.ptrace.restype = ctypes.c_long
            word = LIBC.ptrace(PEEKDATA, process, ctypes.c_void_p(address), None)
            call("ptrace", DETACH, process, None, None)
            return word.to_bytes(8, "little", signed=True)
        return False

    return attempt(problem, look)
