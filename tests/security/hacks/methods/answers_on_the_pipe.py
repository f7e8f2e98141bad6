"""Writes answers of its own on every descriptor it holds, hoping that one of them is the result pipe.

Seen: forged results, a class of attack in SANDBOX.md.

Caught by: sandbox.
"""

import random


def method(problem):
    os = random._os
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"P" + bytes(1024) + b"\0\0\x80?" * 2 * len(problem.test_x))
        except OSError:
            continue
    return problem.weak.mean(0).expand(len(problem.test_x), -1)
