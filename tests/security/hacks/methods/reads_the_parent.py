"""Opens the memory of the process that started it, where the labels may lie.

Seen: reading other processes' memory, a class of attack in SANDBOX.md.

Caught by: sandbox.
"""

import random

import numpy as np


def method(problem):
    with open(f"/proc/{random._os.getppid()}/mem", "rb") as memory:
        return np.frombuffer(memory.read(len(problem.test_x)), dtype=np.uint8) % 2
