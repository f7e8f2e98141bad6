"""Wants to crash the parser with a pile of minus signs. Success: whoever parses it dies."""


def source():
    return "def method(problem):\n    return " + "-" * 30000 + "1\n"
