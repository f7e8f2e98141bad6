"""Wants to command the terminal of whoever reads its error. Success: control characters in the message."""


def method(problem):
    raise ValueError("\x1b]0;owned\x07\x1b[2J\x1b[31mOK\r\n\u202e" + "é" * 100_000)
