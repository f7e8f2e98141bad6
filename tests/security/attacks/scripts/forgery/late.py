"""Wants more time than there is. Success: its answer is taken although it came late."""

import time

from outside import SECONDS, answer


def method(problem):
    end = time.monotonic() + SECONDS + 0.5
    while time.monotonic() < end:
        time.sleep(0.1)
    return answer(problem, b"")
