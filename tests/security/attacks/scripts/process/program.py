"""Wants to run a program. Success: it ran."""

import subprocess

from outside import attempt


def method(problem):
    return attempt(problem, lambda: subprocess.run(["/bin/true"], check=True))
