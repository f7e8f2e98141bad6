"""Names that fail in the sandbox are refused by name, with their line and why, however they are reached."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evolve.prompting.system import Rules, system
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from fitness.sandbox import ALLOWED_IMPORTS, UNAVAILABLE


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    with WorkerProcess() as worker:
        yield Screen(worker)


def method(first: str, body: str = "pass") -> str:
    return f"import torch\n{first}\ndef method(problem):\n    {body}\n    return problem.test_x[:, 0].sigmoid()\n"


@pytest.mark.parametrize(
    ("source", "line", "name"),
    [
        (method("import torch.hub"), 2, "torch.hub"),
        (method("from torch import hub"), 2, "torch.hub"),
        (method("from torch.hub import load"), 2, "torch.hub"),
        (method("", "torch.hub.load('a', 'b')"), 4, "torch.hub"),
        (method("import torch.multiprocessing as mp", "mp.spawn(print, nprocs=2)"), 4, "torch.multiprocessing.spawn"),
        (method("from torch import multiprocessing", "multiprocessing.Process()"), 4, "torch.multiprocessing.Process"),
        (method("from torch.multiprocessing import Queue as Q"), 2, "torch.multiprocessing.Queue"),
        (method("", "torch.distributed.init_process_group('gloo')"), 4, "torch.distributed.init_process_group"),
        (method("import numpy as np", "np.memmap('x')"), 4, "numpy.memmap"),
        (method("", "import numpy; numpy.memmap('x')"), 4, "numpy.memmap"),
        (method("from torch.utils.tensorboard.writer import SummaryWriter"), 2, "torch.utils.tensorboard"),
    ],
)
def test_a_name_that_fails_inside_is_refused_with_its_line(screen: Screen, source: str, line: int, name: str) -> None:
    checked = screen.check(source, "it", "added")
    assert checked.method is None
    assert checked.reason == f"line {line}: {name} does not work in the sandbox: {UNAVAILABLE[name]}"


@pytest.mark.parametrize(
    "source",
    [
        method("import torch.multiprocessing as mp", "mp.Pool(2).map(abs, [1])"),
        method("import torch.distributed", "torch.distributed.is_available()"),
        method(
            "from torch.utils.data import DataLoader, TensorDataset", "DataLoader(TensorDataset(problem.test_x), num_workers=2)"
        ),
        method("class Own:\n    memmap = 1", "Own.memmap, Own().memmap, problem.student.fit"),
        method("", "hub = memmap = Process = 1"),
    ],
)
def test_what_works_inside_is_not_refused(screen: Screen, source: str) -> None:
    checked = screen.check(source, "it", "added")
    assert checked.method is not None, checked.reason


@pytest.mark.parametrize("name", sorted(UNAVAILABLE))
def test_every_name_that_the_prompts_list_is_refused(screen: Screen, name: str) -> None:
    assert name in system("t", "c", Rules(ALLOWED_IMPORTS, UNAVAILABLE))
    package, _, last = name.rpartition(".")
    checked = screen.check(method(f"import {package} as it", f"it.{last}()"), "it", "added")
    assert f"{name} does not work" in checked.reason
