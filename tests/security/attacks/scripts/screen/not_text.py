"""Wants to confuse the decoder: bytes that are no UTF-8. Success: the screen itself fails.

Plain: Python refuses it too.
"""


def source():
    return b"def method(problem):\n    return '\xff\xfe\x00'\n"
