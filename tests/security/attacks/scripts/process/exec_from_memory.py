"""Wants to run a program from memory (memfd_create, execveat). Success: a file that only the program makes."""

import ctypes
import os

from outside import HOME, MARK, attempt, syscall


def method(problem):
    def run():
        program = syscall("memfd_create", b"x", 0)
        os.write(program, f"#!/bin/sh\ntouch {HOME}/{MARK}\n".encode())
        arguments = (ctypes.c_char_p * 2)(b"x", None)
        return syscall("execveat", program, b"", arguments, None, 0x1000)

    return attempt(problem, run)
