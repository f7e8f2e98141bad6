"""Wants the parser to read a number of 30,000 digits again and again. Success: it runs out of time.

Plain: Python refuses it too.
"""


def source():
    return "def method(problem):\n    return " + "9" * 30000 + "\n"
