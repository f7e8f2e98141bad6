"""Wants to crash libcst with a sum of 15,000 terms. Success: whoever parses it dies."""


def source():
    return "def method(problem):\n    return " + "+".join(["1"] * 15_000) + "\n"
