"""Wants to mount. Success: the kernel looks for the file system. Plain: needs to be root."""

import errno

from outside import attempt, call


def method(problem):
    def mount():
        try:
            return call("mount", b"none", b"/", b"no-such-file-system", 0, None)
        except OSError as error:
            return error.errno == errno.ENODEV

    return attempt(problem, mount)
