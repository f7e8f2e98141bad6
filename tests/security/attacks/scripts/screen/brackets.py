"""Wants to crash the parser with nested brackets. Success: whoever parses it dies."""


def source():
    return "def method(problem):\n    return " + "(" * 6000 + "1" + ")" * 6000 + "\n"
