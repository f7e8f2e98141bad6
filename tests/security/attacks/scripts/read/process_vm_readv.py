"""Wants the same by process_vm_readv(2). Success: the secret comes back. Plain: Yama may forbid it."""

import ctypes

from outside import TRUSTED, TRUSTED_ADDRESS, VICTIM, VICTIM_ADDRESS, attempt, call, secrets_in


class Span(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("size", ctypes.c_size_t))


def method(problem):
    def look():
        held = b""
        for process, address in ((VICTIM, VICTIM_ADDRESS), (TRUSTED, TRUSTED_ADDRESS)):
            buffer = ctypes.create_string_buffer(64)
            here, there = Span(ctypes.addressof(buffer), 64), Span(address, 64)
            try:
                call("process_vm_readv", process, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
            except OSError:
                continue
            held += buffer.raw
        return secrets_in(held)

    return attempt(problem, look)
