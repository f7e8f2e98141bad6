"""Wants to hide code behind a null byte. Success: the hidden part is taken.

Plain: Python refuses it too.
"""


def source():
    return "def method(problem):\n    return 1\n\x00\nimport os\n"
