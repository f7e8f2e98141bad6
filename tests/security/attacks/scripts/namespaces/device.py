"""Wants a device file, to read the disk below the files. Success: it has one. Plain: needs to be root."""

import os
import stat

from outside import HOME, MARK, attempt


def method(problem):
    return attempt(problem, lambda: os.mknod(f"{HOME}/{MARK}", stat.S_IFBLK | 0o600, os.makedev(254, 0)))
