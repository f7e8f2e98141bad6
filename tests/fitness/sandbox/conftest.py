"""One warm sandbox per level for the whole folder, and a small problem to hand to methods."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

from fitness.nouns import Limits, Problem
from fitness.sandbox.client import Sandbox
from fitness.sandbox.doctor import examine

LIMITS = Limits(seconds=30.0, memory=1 << 30, output=1 << 16)
REACHED = {"A": ("A", "B"), "B": ("B",)}.get(examine().level, ())


def require(level: str) -> str:
    """Return the level, or skip the test by name where this machine does not reach it."""
    if level not in REACHED:
        pytest.skip(f"sandbox level {level} (see `python -m evolve doctor`)")
    return level


@pytest.fixture(scope="session", params=["A", "B"])
def level(request: pytest.FixtureRequest) -> str:
    return require(request.param)


@pytest.fixture(scope="session")
def sandbox(level: str) -> Iterator[Sandbox]:
    os.environ["EVOLVE_TEST_SECRET"] = "a provider's key"
    with Sandbox(level) as warm:
        yield warm
    del os.environ["EVOLVE_TEST_SECRET"]


@pytest.fixture(scope="session")
def problem() -> Problem:
    return make_problem(pairs=True)


def make_problem(pairs: bool = False, seed: int = 7) -> Problem:
    """A linearly separable problem with a noisy teacher: 400 training rows, 300 test rows, 16 features."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((700, 16)).astype(np.float32)
    right = np.where(rng.random(400) < 0.8, x[:400, 0] > 0, x[:400, 0] <= 0)
    weak = np.stack([0.8 - 0.6 * right, 0.2 + 0.6 * right], 1).astype(np.float32)
    rows = rng.permutation(400)[:60].reshape(30, 2) if pairs else None
    return Problem(x[:400], weak, x[400:], rows, seed, 2)
