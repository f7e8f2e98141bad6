"""Wants a system call that is newer than the filter. Success: the kernel knows it. Plain: the kernel may be older."""

import ctypes

from outside import LIBC, attempt


def method(problem):
    def newest():
        for number in (470, 463, 457, 458):  # listns, setxattrat, statmount, listmount
            ctypes.set_errno(0)
            if LIBC.syscall(ctypes.c_long(number), None, None, 0, 0) == 0 or ctypes.get_errno() != 38:
                return True
        return False

    return attempt(problem, newest)
