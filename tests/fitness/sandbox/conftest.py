"""One warm sandbox per level for the whole folder; a level that this machine does not reach is a named skip."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest
from small_problem import make_problem

from fitness.contracts.contract import Problem
from fitness.sandbox.doctor import diagnose
from fitness.sandbox.sandbox import Sandbox


@pytest.fixture(scope="session")
def reached() -> tuple[str, ...]:
    return {"A": ("A", "B"), "B": ("B",)}.get(diagnose().level, ())


@pytest.fixture(scope="session", params=["A", "B"])
def level(request: pytest.FixtureRequest, reached: tuple[str, ...]) -> str:
    wanted: str = request.param
    if wanted not in reached:
        pytest.skip(f"sandbox level {wanted} (see `python -m evolve doctor`)")
    return wanted


@pytest.fixture(scope="session")
def sandboxes(reached: tuple[str, ...]) -> Iterator[Mapping[str, Sandbox]]:
    """A warm sandbox for each level this machine reaches."""
    os.environ["EVOLVE_TEST_SECRET"] = "a provider's key"
    with ExitStack() as stack:
        yield {level: stack.enter_context(Sandbox(level)) for level in reached}
    os.environ.pop("EVOLVE_TEST_SECRET", None)  # the other suite in this process may have planted it too


@pytest.fixture(scope="session")
def sandbox(level: str, sandboxes: Mapping[str, Sandbox]) -> Sandbox:
    return sandboxes[level]


@pytest.fixture(scope="session")
def problem() -> Problem:
    return make_problem(pairs=True)
