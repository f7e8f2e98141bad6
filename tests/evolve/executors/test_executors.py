"""What holds for every executor of the table, and that a job survives its way through JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve import executors, testing
from evolve.errors import UsageError
from evolve.executors.job import Job, from_json
from evolve.executors.local import Local
from evolve.testing import METHOD, NAMES, TRIAL


@pytest.fixture(params=executors.TABLE)
def executor(request: pytest.FixtureRequest) -> executors.Executor:
    return executors.load(request.param)


def test_an_executor_keeps_its_contract(executor: executors.Executor) -> None:
    testing.check_executor(executor)


def test_the_contract_of_an_executor_names_what_does_not_hold() -> None:
    class Keeping(Local):
        def cancel(self) -> None:
            """Drop nothing."""

    with pytest.raises(AssertionError, match="a job that has not begun is dropped"):
        testing.check_executor(Keeping())


def test_an_unknown_executor_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no executor named 'moon': the executors are local"):
        executors.load("moon")


KINDS, FINITE = st.sampled_from(["evaluate", "certify", "inspect"]), st.floats(allow_nan=False, allow_infinity=False)


@given(KINDS, st.lists(FINITE), st.booleans())
def test_a_job_survives_json(kind: str, rival: list[float], thorough: bool) -> None:
    job = Job(kind, METHOD, NAMES, tuple(rival), (TRIAL,), thorough)  # type: ignore[arg-type]
    assert from_json(job.to_json()) == job


@pytest.mark.parametrize("text", ["", "{}", '{"kind": "run", "method": {"id": "m", "source": "", "nodes": 1}}', "[1]"])
def test_what_is_no_job_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        from_json(text)
