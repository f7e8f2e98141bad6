"""The task `scale` with few examples, read by the models of the embedded task in place of its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from fitness import assets
from fitness.tasks.embedded.task import Sizes
from fitness.tasks.scale import task
from fitness.tasks.task import Task

EMBEDDED = Path(assets.__file__).parent
SIZES = Sizes(labelled=100, train=500, test=400)
READ_BY = {"1m": "strong", "5m": "strong"}


def weights(folder: Path, read_by: Mapping[str, str] = READ_BY) -> Path:
    """Put weights of these names into a folder."""
    folder.mkdir(exist_ok=True)
    for name, model in read_by.items():
        shutil.copy(EMBEDDED / f"{model}.safetensors", folder / f"{name}.safetensors")
    return folder


def register(patch: pytest.MonkeyPatch, folder: Path, read_by: Mapping[str, str] = READ_BY) -> Task:
    """Put the task of few examples in place of the real one in this process; nothing but these weights is there."""
    patch.setattr(task, "WEIGHTS", folder / "none")
    small = task.scale(SIZES, margin=0.02, folder=str(weights(folder, read_by)))
    patch.setattr(task, "TASK", small)
    return small
