"""Wants its failure to look like ours: a timer of its own sends it SIGKILL. Success: LOST.

Plain: there is no such status.
"""

import ctypes
import struct
import time

from outside import LIBC, answer

CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGKILL = 1, 0, 9


def method(problem):
    event = struct.pack("QiiI", 0, SIGKILL, SIGEV_SIGNAL, 0).ljust(64, b"\0")
    timer = ctypes.c_void_p()
    if LIBC.timer_create(CLOCK_MONOTONIC, event, ctypes.byref(timer)) == 0:
        LIBC.timer_settime(timer, 0, struct.pack("qqqq", 0, 0, 0, 1000), None)
        time.sleep(1)
    return answer(problem, False)
