"""Wants to change another process's memory (process_vm_writev(2)). Success: it changed. Plain: Yama may forbid it."""

import ctypes

from outside import VICTIM, VICTIM_ADDRESS, attempt, call


class Span(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("size", ctypes.c_size_t))


def method(problem):
    def change():
        buffer = ctypes.create_string_buffer(b"X", 1)
        here, there = Span(ctypes.addressof(buffer), 1), Span(VICTIM_ADDRESS, 1)
        call("process_vm_writev", VICTIM, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)

    return attempt(problem, change)
