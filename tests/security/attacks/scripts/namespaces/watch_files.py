"""Wants to see which files others open (inotify(7), fanotify(7)). Success: it watches a library."""

import os

from outside import LIBRARY, attempt, call


def method(problem):
    return attempt(problem, lambda: call("inotify_add_watch", call("inotify_init"), os.path.dirname(LIBRARY).encode(), 0x20))
