"""Wants to print for ever, a little at a time, so that no clock is looked at. Success: it is not stopped."""

import os
import time


def method(problem):
    while True:
        os.write(1, b".")
        time.sleep(0.001)
