"""Problems and answers of the weak-to-strong contract, made of arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fitness.contracts.contract import Problem
from fitness.contracts.probabilities import ACCURACY, PROBABILITIES
from fitness.contracts.probabilities import problem as weak_to_strong
from fitness.tasks import Task
from fitness.tasks.source import Draw
from fitness.vault.build import store
from fitness.vault.instance import Answers, InstanceName
from fitness.vault.vault import Vault


def problem_of(
    train_x: np.ndarray, weak: np.ndarray, test_x: np.ndarray, pairs: np.ndarray | None = None, seed: int = 0
) -> Problem:
    """Return a problem."""
    return weak_to_strong(train_x, weak, test_x, pairs, seed)


def answers_of(
    rows: np.ndarray, test_y: np.ndarray, teacher: np.ndarray, floor: float = 0.0, ceiling: float = 1.0, classes: int = 2
) -> Answers:
    """Return the answers of a trial that shows these rows, given the truth and the teacher's hard answers, (n,) each."""
    private = {"test_y": test_y, "teacher": np.eye(classes, dtype=np.float32)[teacher]}
    return Answers(PROBABILITIES, ACCURACY, private, floor, ceiling, {"n_test": rows})


def drawn_of(
    train_x: np.ndarray, weak: np.ndarray, test_x: np.ndarray, test_y: np.ndarray, teacher: np.ndarray, *anchors: float
) -> Draw:
    """Return an instance without pairs; the anchors are floor and ceiling."""
    floor, ceiling = anchors
    private = {"test_y": test_y, "teacher": teacher}
    return Draw({"train_x": train_x, "weak": weak, "test_x": test_x}, private, floor, ceiling)


def keep(vault: Vault, task: Task, name: InstanceName, drawn: Draw) -> Path:
    """Store an instance that no builder drew, and return its file."""
    path = vault.path(task, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    store(path, drawn, task.contract, vault.identity(task, name), vault.secret(task, name))
    return path
