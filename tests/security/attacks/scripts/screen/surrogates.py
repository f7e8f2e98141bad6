"""Wants to confuse the encoder: half of a character. Success: the screen itself fails.

Plain: Python refuses it too.
"""


def source():
    return "def method(problem):\n    return '\ud800'\n"
