"""What a method finds inside: a bare environment, its own pipes, and libraries that work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from small_problem import LIMITS

from fitness.contracts.contract import Problem
from fitness.nouns import Status
from fitness.sandbox.launch import ENVIRONMENT, HASH_SEED
from fitness.sandbox.sandbox import Sandbox

HUGE = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def descendants(pid: int) -> list[int]:
    """Return the processes below one."""
    try:
        below = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return below + [deeper for child in below for deeper in descendants(child)]


def huge(pid: int) -> int:
    """Return how many KiB of a process's memory lie in huge pages."""
    try:
        rows = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
        return next((int(row[1]) for row in rows if row[0] == "AnonHugePages:"), 0)
    except OSError:
        return 0


@pytest.mark.thorough
def test_the_environment_holds_switches_only(sandbox: Sandbox, problem: Problem) -> None:
    allowed = {*ENVIRONMENT, *HASH_SEED, "LC_CTYPE", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "EVOLVE_HOME"}
    source = f"import os, torch\ndef method(p):\n    more = set(os.environ) - {allowed!r}\n    assert not more, more\n"
    source += "    return torch.zeros(300)"
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message


def test_only_its_own_pipes_and_inputs_are_open(sandbox: Sandbox, problem: Problem) -> None:
    source = """
import os, torch
def method(problem):
    found = []
    for descriptor in range(4096):
        try:
            os.fstat(descriptor)
            found.append(descriptor)
        except OSError:
            pass
    return torch.full((300,), len(found) / 10)
"""
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.predictions is not None, outcome.message
    assert np.isclose(outcome.predictions[0, 1], 0.5), "stdin, stdout, stderr, result, and the mapping's of the inputs"


@pytest.mark.parametrize(
    "module", ["sklearn.cluster", "sklearn.gaussian_process", "scipy.signal", "scipy.cluster.vq", "torch.fft"]
)
def test_ordinary_libraries_work(sandbox: Sandbox, problem: Problem, module: str) -> None:
    outcome = sandbox.run(f"import {module}, torch\ndef method(problem): return torch.zeros(300)", problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message


def test_parallel_sklearn_falls_back_to_one_process(sandbox: Sandbox, problem: Problem) -> None:
    source = """
from sklearn.ensemble import RandomForestClassifier
def method(problem):
    forest = RandomForestClassifier(20, n_jobs=4, random_state=0).fit(problem.train_x, problem.weak.argmax(1))
    return forest.predict_proba(problem.test_x)
"""
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message


def test_torch_compile_is_a_no_op(sandbox: Sandbox, problem: Problem) -> None:
    source = "import torch\ndef method(p):\n    return torch.compile(lambda x: x.sigmoid())(p.test_x[:, 0])"
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("os.O_RDONLY", None),
        ("os.O_RDONLY | os.O_TRUNC", "Operation not permitted"),
        ("3", "Operation not permitted"),
    ],
)
def test_a_file_cannot_be_emptied_by_opening_it_to_read(
    sandbox: Sandbox, problem: Problem, mode: str, error: str | None
) -> None:
    """The filter says so itself (EPERM): Landlock (EACCES) takes it for reading before its third version."""
    source = f"import os, torch\ndef method(problem):\n    os.open(torch.__file__, {mode})\n    return torch.zeros(300)"
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.status is (Status.OK if error is None else Status.CRASHED)
    assert (error or "") in outcome.message


def test_the_null_device_can_be_written_as_libraries_do(sandbox: Sandbox, problem: Problem) -> None:
    source = "import os, torch\ndef method(problem):\n    open(os.devnull, 'w').write('x')\n    return torch.zeros(300)"
    assert sandbox.run(source, problem, LIMITS).status is Status.OK


def test_torch_computes_with_the_instructions_that_this_processor_has(sandbox: Sandbox, problem: Problem) -> None:
    import torch

    here = torch.backends.cpu.get_cpu_capability()
    source = f"""
import torch
def method(problem):
    found = torch.backends.cpu.get_cpu_capability()
    assert found == {here!r}, found
    return torch.zeros(300)
"""
    outcome = sandbox.run(source, problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message


@pytest.mark.skipif(not HUGE.exists() or "[never]" in HUGE.read_text(), reason="huge pages, which this kernel does not give")
def test_the_heap_of_a_method_has_room_in_huge_pages(sandbox: Sandbox, problem: Problem) -> None:
    source = """
import time, torch
def method(problem):
    held = torch.ones(4, 1 << 20)
    time.sleep(0.5)
    return torch.zeros(300)
"""
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(sandbox.run, source, problem, LIMITS)
        most = 0
        while not outcome.done():
            most = max([most, *map(huge, descendants(sandbox._zygote.process.pid))])
    assert outcome.result().status is Status.OK, outcome.result().message
    assert most >= 12 << 10, "of 16 MB"
