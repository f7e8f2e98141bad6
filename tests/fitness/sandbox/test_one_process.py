"""A method is one process: what libraries would share out among several is done in it, and the rest is told in a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from small_problem import LIMITS

from fitness.contracts.contract import Problem
from fitness.nouns import Outcome, Status
from fitness.sandbox.sandbox import Sandbox

HEAD = """
import functools
import itertools
import numpy as np
import torch
from scipy import integrate, optimize
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

class Counting(IterableDataset):
    def __iter__(self):
        return iter(range(20))

def whole(problem):
    return TensorDataset(problem.train_x, problem.weak)

def loaded(problem, **more):
    generator = torch.Generator().manual_seed(1)
    return [row.mean().item() for row, _ in DataLoader(whole(problem), 50, shuffle=True, generator=generator, **more)]

def evolved(**more):
    options = dict(maxiter=3, rng=0, updating="deferred", **more)
    return optimize.differential_evolution(optimize.rosen, [(-2, 2)] * 2, **options).x.tolist()

def pooled(call):
    with torch.multiprocessing.Pool(3, initializer=torch.manual_seed, initargs=(1,)) as pool:
        return call(pool)
"""


PLACE = f"at line {HEAD.count(chr(10)) + 3} of the method"


def run(sandbox: Sandbox, problem: Problem, body: str) -> Outcome:
    source = f"{HEAD}\ndef method(problem):\n    {body}\n    return torch.zeros(300)"
    return sandbox.run(source, problem, LIMITS)


@pytest.mark.parametrize(
    ("shared", "alone"),
    [
        ("loaded(problem, num_workers=2)", "loaded(problem)"),
        ("loaded(problem, num_workers=2, persistent_workers=True, prefetch_factor=3, timeout=9)", "loaded(problem)"),
        ("list(DataLoader(Counting(), 4, num_workers=2))[-1].tolist()", "[16, 17, 18, 19]"),
        ("[len(r) for r in DataLoader([1.0] * 9, 4, False, None, None, 2)]", "[4, 4, 1]"),
        ("evolved(workers=2)", "evolved()"),
        ("evolved(workers=-1)", "evolved()"),
        ("optimize.brute(lambda w: (w ** 2).sum(), [(-1, 1)], workers=2).tolist()",
         "optimize.brute(lambda w: (w ** 2).sum(), [(-1, 1)]).tolist()"),
        ("integrate.quad_vec(np.cos, 0, 1, workers=2)[0]", "integrate.quad_vec(np.cos, 0, 1)[0]"),
        ("pooled(lambda p: p.map(abs, [-1, 2]))", "[1, 2]"),
        ("pooled(lambda p: list(p.imap_unordered(abs, [-1, 2])))", "[1, 2]"),
        ("pooled(lambda p: p.starmap(pow, [(2, 3), (3, 2)]))", "[8, 9]"),
        ("pooled(lambda p: p.apply_async(pow, (2, 3)).get(timeout=1))", "8"),
        ("pooled(lambda p: p.map_async(abs, [-1]).get())", "[1]"),
    ],
)  # fmt: skip
def test_workers_give_what_one_process_gives(sandbox: Sandbox, problem: Problem, shared: str, alone: str) -> None:
    outcome = run(sandbox, problem, f"first, second = {shared}, {alone}; assert first == second, (first, second)")
    assert outcome.status is Status.OK, outcome.message


def test_what_a_worker_raises_is_raised_at_its_line_of_the_method(sandbox: Sandbox, problem: Problem) -> None:
    outcome = run(sandbox, problem, "pooled(lambda pool: pool.map(lambda i: 1 // i, [1, 0]))")
    assert outcome.status is Status.CRASHED
    assert f"ZeroDivisionError {PLACE}" in outcome.message


@pytest.mark.parametrize(
    "body",
    [
        "torch.multiprocessing.Process(target=print).start()",
        "torch.multiprocessing.spawn(print, nprocs=2)",
        "__import__('concurrent.futures').futures.ProcessPoolExecutor(2).submit(abs, 1)",
        "__import__('subprocess').run(['true'])",
        "problem.train_x.share_memory_()",
        "torch.save(problem.train_x, 'x.pt')",
        "np.save('/tmp/x.npy', problem.train_x)",
        "torch.load('weights.pt')",
        "__import__('tempfile').TemporaryFile()",
        "torch.hub.load('pytorch/vision', 'resnet18', trust_repo=True)",
    ],
)
def test_what_needs_another_process_or_a_file_is_told_so(sandbox: Sandbox, problem: Problem, body: str) -> None:
    outcome = run(sandbox, problem, body)
    assert outcome.status is Status.CRASHED
    assert PLACE in outcome.message
    assert "there are no files to write or to load, no network, no other processes" in outcome.message


def test_threads_of_a_pool_work(sandbox: Sandbox, problem: Problem) -> None:
    body = "assert list(__import__('concurrent.futures').futures.ThreadPoolExecutor(4).map(abs, [-1, 2])) == [1, 2]"
    assert run(sandbox, problem, body).status is Status.OK
    assert np.array_equal(run(sandbox, problem, "pass").predictions, np.full((300, 2), [1, 0], np.float32))  # type: ignore[arg-type]


SCRIPTED = """
import functools
import inspect
import torch

@torch.jit.script
def halved(x: torch.Tensor, n: int) -> torch.Tensor:
    for _ in range(n):
        x = x * 0.5
    return x

def plain(x: torch.Tensor) -> torch.Tensor:
    return x + 1  # a comment

class Layer(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return plain(x).sigmoid()

def method(problem):
    CHECK
    return halved(problem.test_x[:, 0].sigmoid(), 1)
"""


@pytest.mark.parametrize(
    "check",
    [
        "torch.jit.script(plain)(problem.test_x)",
        "torch.jit.script(Layer())(problem.test_x)",
        "assert inspect.getsource(plain).endswith('return x + 1  # a comment\\n')",
        "assert inspect.getsource(Layer).startswith('class Layer')",
        "assert inspect.getsource(method).startswith('def method(problem):') and inspect.getsourcelines(plain)[1] == 12",
        "assert 'functools' in inspect.getsource(inspect.getmodule(method))",
    ],
)
def test_torchscript_and_inspect_find_the_source_of_a_method(sandbox: Sandbox, problem: Problem, check: str) -> None:
    outcome = sandbox.run(SCRIPTED.replace("CHECK", check), problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message
