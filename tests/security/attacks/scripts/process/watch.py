"""Wants to watch another process run (perf_event_open(2)). Success: it has a counter on it. Plain: perf may be off."""

import ctypes
import struct

from outside import VICTIM, attempt, syscall


def method(problem):
    event = ctypes.create_string_buffer(struct.pack("II", 1, 112), 112)
    return attempt(problem, lambda: syscall("perf_event_open", event, VICTIM, -1, -1, 0))
