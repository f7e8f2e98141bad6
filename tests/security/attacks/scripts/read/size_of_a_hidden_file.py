"""Wants to know whether a file exists and how large it is, without opening it. Success: its size comes back."""

import os

from outside import SIZED, attempt


def method(problem):
    return attempt(problem, lambda: f"size {os.stat(SIZED).st_size}".encode())
