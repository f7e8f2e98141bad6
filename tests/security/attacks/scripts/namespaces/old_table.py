"""Wants the system calls of another architecture, which have other numbers. Success: one works. Plain: x86-64 only."""

import ctypes
import mmap
import os
import platform

from outside import LIBC, attempt


def method(problem):
    def by_interrupt():
        if platform.machine() != "x86_64":
            return False
        if LIBC.syscall(ctypes.c_long(0x40000000 | 39)) == os.getpid():  # x32
            return True
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
        function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
        return function() == os.getpid()

    return attempt(problem, by_interrupt)
