"""What the sandbox's tests share: limits, and a small problem to hand to methods."""

from __future__ import annotations

import numpy as np

from fitness.contracts.contract import Problem
from fitness.nouns import Limits
from tests.support.weak_to_strong import problem_of

LIMITS = Limits(seconds=30.0, memory=1 << 30, output=1 << 16)


def make_problem(pairs: bool = False, seed: int = 7) -> Problem:
    """A linearly separable problem with a noisy teacher: 400 training rows, 300 test rows, 16 features."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((700, 16)).astype(np.float32)
    right = np.where(rng.random(400) < 0.8, x[:400, 0] > 0, x[:400, 0] <= 0)
    weak = np.stack([0.8 - 0.6 * right, 0.2 + 0.6 * right], 1).astype(np.float32)
    rows = rng.permutation(400)[:60].reshape(30, 2) if pairs else None
    return problem_of(x[:400], weak, x[400:], rows, seed)
