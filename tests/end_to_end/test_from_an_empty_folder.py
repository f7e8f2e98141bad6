"""From an empty folder outside the checkout, as a new user would: a CSV to a report, and a task of one's own to a champion."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evolve.runs.task_file import BASELINES
from fitness.tasks.data import example

SMALL = "--device cpu --set dev_instances=4 --set fresh_instances=4 --set held_out_instances=2 --set finalists=1"
CERTIFY = '''\
"""certify: weights of a 64-32-10 network, scored by the accuracy that interval bounds certify."""
import numpy as np
from sklearn.datasets import load_digits

from evolve import Draw, Task, answer, array

task = Task("certify", search=["eps04"], held_out=["eps02"], seconds=20, scale=(0, 1),
            public=[array("x", "n d"), array("y", "n", "int64"), array("eps", "")], answer=answer("2410", meaning="weights"),
            brief="Return W1 (64 x 32), b1, W2 (32 x 10), b2 of a ReLU network in one row. Its score is the share of unseen "
                  "digits on which no change of eps a pixel can change its answer, as interval bounds prove.")

@task.draw
def draw(domain, rng):
    pixels, digit = load_digits(return_X_y=True)
    x, order = (pixels / 16).astype(np.float32), rng.permutation(len(digit))
    train, test, eps = order[:600], order[600:1000], int(domain[3:]) / 100
    return Draw({"x": x[train], "y": digit[train], "eps": np.float32(eps)},
                {"x": x[test], "y": digit[test], "eps": np.float32(eps)}, floor=0.1, ceiling=0.95)

@task.score
def score(answer, private):
    w1, b1, w2, b2 = np.split(answer.astype(float), [2048, 2080, 2400])
    w1, w2, y = w1.reshape(64, 32), w2.reshape(32, 10), private["y"]
    middle, reach = private["x"] @ w1 + b1, private["eps"] * np.abs(w1).sum(0)
    low, high = np.maximum(middle - reach, 0), np.maximum(middle + reach, 0)
    apart = w2[:, y].T[:, :, None] - w2  # (n, 32, 10): the true class against each other one
    least = np.einsum("nh,nhk->nk", low, apart.clip(0)) + np.einsum("nh,nhk->nk", high, apart.clip(None, 0))
    worst = least + b2[y][:, None] - b2
    return float((np.where(np.arange(10) == y[:, None], 1, worst) > 0).all(1).mean())
task.seeds("baselines")
'''
BASELINE = '''\
"""{about}"""

import torch

STEPS = 100
RATE = 0.01
DECAY = {decay}
NOISE = {noise}


def objective(network, x, y, eps):
    """Return the cross-entropy of the network's answers, and the size of its weights."""
    w1, b1, w2, b2 = network
    fit = torch.nn.functional.cross_entropy((x @ w1 + b1).relu() @ w2 + b2, y)
    return fit + DECAY * (w1.abs().sum() + w2.abs().sum())


def method(problem):
    generator = torch.Generator().manual_seed(problem.seed)
    shapes = ((64, 32), (32,), (32, 10), (10,))
    network = [(torch.randn(s, generator=generator) * 0.1).requires_grad_() for s in shapes]
    optimiser = torch.optim.Adam(network, lr=RATE)
    y = torch.as_tensor(problem.y)
    for _ in range(STEPS):
        optimiser.zero_grad()
        x = problem.x + NOISE * torch.randn(problem.x.shape, generator=generator)
        objective(network, x, y, float(problem.eps)).backward()
        optimiser.step()
    return torch.cat([part.detach().flatten() for part in network])
'''


def environment(root: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}


def shell(root: Path, folder: Path, *lines: str) -> str:
    """Run lines as typed into a shell in a folder; each must succeed."""
    python = f'python() {{ {sys.executable} "$@"; }}'
    text = "\n".join(["set -e", python, *lines])
    done = subprocess.run(["bash", "-c", text], cwd=folder, env=environment(root), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def new(root: Path, folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evolve", "task", "new", name]
    return subprocess.run(command, cwd=folder, env=environment(root), capture_output=True, text=True)


def test_five_shell_lines_from_a_csv_to_a_report(tmp_path: Path, root: Path) -> None:
    example.cancer(tmp_path / "download")
    shell(
        root, tmp_path,
        "mkdir -p data/cancer && cp download/*.csv data/cancer/",
        "python -m evolve task check w2s --data data --device cpu",
        f"python -m evolve start --task w2s --data data --evals 4 {SMALL} --db run.db",
        "python -m evolve top --db run.db",
        "python -m evolve report --db run.db --out page.html",
    )  # fmt: skip
    page = (tmp_path / "page.html").read_text()
    assert "w2s-" in page
    assert "cancer" in page


def test_thirty_lines_from_task_new_to_a_champion_above_its_best_baseline(tmp_path: Path, root: Path) -> None:
    assert len(CERTIFY.splitlines()) == 30
    shell(root, tmp_path, "python -m evolve task new certify")
    (tmp_path / "certify.py").write_text(CERTIFY)
    (tmp_path / "baselines").mkdir()
    for name, decay, noise in (("plain", 0.0, 0.0), ("decayed", 0.0003, 0.05)):
        (tmp_path / "baselines" / f"{name}.py").write_text(BASELINE.format(about=f"{name} training.", decay=decay, noise=noise))
    told = shell(
        root, tmp_path,
        "python -m evolve task check certify.py --device cpu",
        f"python -m evolve start --task certify.py --evals 40 --workers 1 {SMALL} --db run.db",
    )  # fmt: skip
    assert "all 10 checks pass" in told
    shell(root, tmp_path, "python -m evolve status --db run.db --json > status.json")
    status = json.loads((tmp_path / "status.json").read_text())
    assert "beats the human best" in status["verdict"], status["verdict"]


def test_what_task_new_writes_runs_as_it_is_and_is_never_overwritten(tmp_path: Path, root: Path) -> None:
    told = shell(
        root, tmp_path,
        "python -m evolve task new mine",
        "python -m evolve task check mine.py --device cpu",
        f"python -m evolve start --task mine.py --evals 2 {SMALL} --db run.db",
        "python -m evolve task show mine.py",
    )  # fmt: skip
    assert "all 10 checks pass" in told
    assert "Some labels are wrong" in told
    assert "problem.x_new       (m, d) float32" in told
    assert sorted(path.name for path in (tmp_path / "mine_baselines").iterdir()) == sorted(BASELINES)
    again = subprocess.run(
        [sys.executable, "-m", "evolve", "task", "new", "mine"],
        cwd=tmp_path,
        env=environment(root),
        capture_output=True,
        text=True,
    )
    assert again.returncode == 2
    assert "mine.py is there already" in again.stderr


@pytest.mark.parametrize("name", ["../x", "3d", "a b", ""])
def test_a_name_that_is_none_is_refused(tmp_path: Path, root: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "evolve", "task", "new", name],
        cwd=tmp_path,
        env=environment(root),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "cannot name a task" in done.stderr
    assert not list(tmp_path.iterdir())


def test_ctrl_c_in_a_check_ends_at_once_and_leaves_no_process(tmp_path: Path, root: Path) -> None:
    shell(root, tmp_path, "python -m evolve task new slow")
    path = tmp_path / "slow.py"
    path.write_text(path.read_text().replace("    direction = rng", "    __import__('time').sleep(600)\n    direction = rng"))
    process = subprocess.Popen(
        [sys.executable, "-m", "evolve", "task", "check", "slow.py"], cwd=tmp_path, env=environment(root),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time_left = time.monotonic() + 60
    while not (below := builders(process.pid)) and time.monotonic() < time_left:
        time.sleep(0.2)  # asked again, the kernel may leave a child out
    assert below
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "evolve: stopped" in complaints
    assert "Traceback" not in complaints
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]


def builders(parent: int) -> list[int]:
    """Return the processes that draw instances for a process."""
    found = list[int]()
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread or a child that has just ended
            children = map(int, task.read_text().split())
            found += [pid for pid in children if b"fitness.vault.build" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return found
