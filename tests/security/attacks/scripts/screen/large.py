"""Wants to fill the parser's memory with a file of 64 MB. Success: it is parsed."""


def source():
    return "def method(problem):\n    return 1\n" + "x = 1\n" * ((64 << 20) // 6)
