"""Wants to change what runs in the next child. Success: the runner changed."""

import sys

from outside import RUNNER, attempt


def method(problem):
    def change():
        paths = [RUNNER, "/inside/runner.py"]
        paths += [getattr(module, "__file__", "") or "" for name, module in list(sys.modules.items()) if "runner" in name]
        for path in paths:
            try:
                return open(path, "a").write("\n")
            except OSError:
                continue
        return False

    return attempt(problem, change)
