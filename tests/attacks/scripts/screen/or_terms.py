"""Wants to crash libcst with a chain that compile() accepts. Success: whoever parses it dies."""


def source():
    return "def method(problem):\n    return " + " or ".join(["1"] * 7000) + "\n"
