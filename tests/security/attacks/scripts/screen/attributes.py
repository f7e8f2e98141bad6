"""Wants to crash libcst with a long chain of attributes. Success: whoever parses it dies."""


def source():
    return "def method(problem):\n    return problem" + ".x" * 15000 + "\n"
