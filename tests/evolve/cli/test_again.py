"""The commands that a run names for going on: they have every flag that the next command needs."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest

from evolve import operators
from evolve.cli.show import again
from evolve.config import Config
from evolve.runs.checks import admitted
from evolve.runs.task_file import write
from fitness import tasks

STRATEGY = 'from evolve.selection.strategies import Strategy\n\nMINE = Strategy("mine")\n'
OPERATOR = "from evolve.operators.offline.perturb import Perturb\n\n\nclass Mine(Perturb):\n    name = 'mine'\n"


@pytest.fixture(autouse=True)
def _forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_ADMITTED", {})


def test_the_default_needs_no_flag() -> None:
    assert again.start(Config()) == "python -m evolve start"
    assert again.resume(Path("runs/a b.db"), Config()) == "python -m evolve resume --db 'runs/a b.db'"


def test_domains_that_were_chosen_are_named() -> None:
    assert again.start(Config(domain="chat+code_deceptive")).endswith("start --domain chat --domain code_deceptive")


def test_a_task_a_strategy_and_an_operator_of_the_users_own_are_named(tmp_path: Path) -> None:
    task = str(write("mine", tmp_path)[0])
    (tmp_path / "strategy.py").write_text(STRATEGY)
    strategy = f"{tmp_path / 'strategy.py'}:MINE"
    operator = f"{tmp_path / 'operator.py'}:Mine"
    (tmp_path / "operator.py").write_text(OPERATOR)
    config, mine = admitted(Config(task=task, strategy=strategy)), [operators.load(operator)]
    own = f"--task {task} --strategy {strategy} --operator {operator}"
    assert again.start(config, mine) == f"python -m evolve start {own}"
    assert again.resume(Path("run.db"), config, mine) == f"python -m evolve resume --db run.db {own}"


def test_data_are_named_with_what_was_chosen_for_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "one").mkdir()
    x, y = rng.standard_normal((500, 3)), rng.integers(2, size=500)
    np.savez(tmp_path / "one" / "train.npz", features=x, weak=np.full((500, 2), 0.5))
    np.savez(tmp_path / "one" / "test.npz", features=x, labels=y, teacher=np.full((500, 2), 0.5))
    config = admitted(Config(task="w2s", data=str(tmp_path), classes="balanced", normalise=False))
    flags = shlex.split(again.start(config))
    assert flags[3:] == [
        "start",
        "--task",
        "w2s",
        "--data",
        str(tmp_path),
        "--set",
        "classes=balanced",
        "--set",
        "normalise=false",
    ]
    assert shlex.split(again.resume(Path("run.db"), config))[4:] == ["--db", "run.db", "--data", str(tmp_path)]
