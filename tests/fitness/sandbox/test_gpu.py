"""Methods on a GPU, behind the walls: only what needs one is here (`--rungpu`)."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small_problem import LIMITS, make_problem

from fitness.contracts.contract import Problem
from fitness.nouns import DeviceUnavailable, Outcome, Split, Status
from fitness.probes.derived import UNSTABLE
from fitness.sandbox.device import find
from fitness.sandbox.sandbox import Sandbox
from fitness.tasks import load
from fitness.vault.builder import build
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault

pytestmark = pytest.mark.gpu
SEEDS = sorted(Path(__file__).parents[3].glob("seeds/*.py"))
ON_GPU = dataclasses.replace(LIMITS, seconds=60.0)
FINE = "def method(problem): return (problem.train_x.mean() + problem.test_x[:, 0]).sigmoid()"


@pytest.fixture(scope="module")
def on_gpu() -> Iterator[Sandbox]:
    try:
        gpu = find()
    except DeviceUnavailable as error:
        pytest.skip(f"a GPU: {error}")
    with Sandbox(gpu=gpu) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def on_cpu() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    """The problem of one instance of the embedded task."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVOLVE_HOME", str(tmp_path_factory.mktemp("home")))
        task, vault = load("embedded"), Vault()
        name = InstanceName(task.name, "code_deceptive", Split.DEV, 0)
        build(vault, task, [name])
        problem, _ = vault.problem(vault.load(task, name), "a method of tests")
    return problem


def run(sandbox: Sandbox, body: str) -> Outcome:
    source = "import torch\ndef method(problem):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    return sandbox.run(source, make_problem(), ON_GPU)


@pytest.mark.parametrize("path", SEEDS, ids=[path.stem for path in SEEDS])
def test_each_seed_gives_the_answers_of_the_cpu(path: Path, on_gpu: Sandbox, on_cpu: Sandbox, real: Problem) -> None:
    source = path.read_text()
    outcomes = [sandbox.run(source, real, ON_GPU) for sandbox in (on_cpu, on_gpu, on_gpu)]
    there, here, again = (outcome.predictions for outcome in outcomes)
    assert there is not None, outcomes[0].message
    assert here is not None, outcomes[1].message
    assert again is not None, outcomes[2].message
    assert (here.argmax(1) != there.argmax(1)).mean() <= UNSTABLE
    assert (here.argmax(1) != again.argmax(1)).mean() <= UNSTABLE


def test_the_problem_lies_on_the_gpu(on_gpu: Sandbox) -> None:
    outcome = run(
        on_gpu,
        """
        assert problem.device == problem.train_x.device == problem.test_x.device == problem.weak.device
        assert problem.device.type == "cuda" and torch.cuda.device_count() == 1
        return problem.test_x[:, 0].sigmoid()
        """,
    )
    assert outcome.status is Status.OK, outcome.message


FAULTS = {
    "an assert in a kernel": "return problem.weak[torch.full((300,), 10**6, device=problem.device), 1]",
    "an illegal address": """
        fault = torch.cuda._compile_kernel('extern "C" __global__ void fault() { *(volatile int*)8 = 1; }', "fault")
        fault(grid=(1, 1, 1), block=(1, 1, 1), args=())
        return problem.test_x[:, 0].sigmoid()
        """,
    "an exception": "return problem.test_x @ problem.test_x",
}


@pytest.mark.parametrize("body", FAULTS.values(), ids=list(FAULTS))
def test_a_bad_kernel_costs_one_trial_and_not_those_beside_it(on_gpu: Sandbox, body: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        bad = pool.submit(run, on_gpu, body)
        beside = [pool.submit(on_gpu.run, FINE, make_problem(), ON_GPU) for _ in range(6)]
    assert bad.result().status is Status.CRASHED, bad.result().message
    assert [one.result().status for one in beside] == [Status.OK] * 6
    assert on_gpu.run(FINE, make_problem(), ON_GPU).status is Status.OK


def test_an_endless_kernel_is_stopped_from_outside(on_gpu: Sandbox) -> None:
    body = "import torch\ndef method(problem):\n    torch.cuda._sleep(10**15)\n    return problem.test_x[:, 0].sigmoid()"
    outcome = on_gpu.run(body, make_problem(), dataclasses.replace(ON_GPU, seconds=2.0))
    assert outcome.status is Status.TIMED_OUT, outcome.message
    assert on_gpu.run(FINE, make_problem(), ON_GPU).status is Status.OK


BOMBS = {
    "too much at once": "return torch.ones(1 << 30, device=problem.device)[:300]",
    "past torch's own cap": """
        torch.cuda.set_per_process_memory_fraction(1.0)
        kept = torch.ones(1 << 29, device=problem.device)
        while True: kept.mul_(1)
        """,
    "the machine's memory": "kept = []\nwhile True: kept.append(torch.ones(1 << 22))",
    "pinned memory": "kept = []\nwhile True: kept.append(torch.ones(1 << 22).pin_memory())",
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=list(BOMBS))
def test_a_memory_bomb_is_stopped(on_gpu: Sandbox, body: str) -> None:
    outcome = run(on_gpu, body)
    assert outcome.status is Status.OUT_OF_MEMORY, outcome.message
    assert on_gpu.run(FINE, make_problem(), ON_GPU).status is Status.OK


def test_nothing_is_left_on_the_gpu_for_the_next_one(on_gpu: Sandbox) -> None:
    size = (ON_GPU.memory >> 2) // 2
    filled = run(on_gpu, f"return torch.full(({size},), 0.625, device=problem.device)[:300]")
    assert filled.status is Status.OK, filled.message
    found = run(on_gpu, f"seen = torch.empty({size}, device=problem.device) == 0.625\nreturn seen.any().float().expand(300)")
    assert found.predictions is not None, found.message
    assert found.predictions[0, 1] == 0.0


def test_methods_beside_each_other_see_their_own_data(on_gpu: Sandbox) -> None:
    body = """
    mine = torch.full((1 << 22,), {value}, device=problem.device)
    for _ in range(200): mine = mine.flip(0)
    assert (mine == {value}).all()
    return mine[:300]
    """
    values = [(i + 1) / 16 for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda value: run(on_gpu, body.format(value=value)), values))
    assert [float(o.predictions[0, 1]) if o.predictions is not None else o.message for o in outcomes] == values
