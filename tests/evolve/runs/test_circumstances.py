"""Whatever could move a baseline's score is part of the circumstances under which it was measured."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import fitness
from evolve.runs import circumstances as module
from fitness.nouns import Limits
from fitness.sandbox.device import DeviceChoice, Gpu
from fitness.tasks import load

TASK = load("embedded")
GPU = Gpu("some GPU", "uuid", 1, "", ())


@dataclass
class Walls:
    """As much of a sandbox as is asked."""

    level: str = "A"
    device: str = "cpu"


CPU, WALLS = DeviceChoice(None), Walls()


def now(task: Any = TASK, walls: Any = WALLS, device: DeviceChoice = CPU) -> str:
    return json.dumps(module.circumstances(task, walls, device), sort_keys=True)


def test_they_are_the_same_twice_and_differ_with_task_limits_walls_and_device() -> None:
    found = [
        now(),
        now(replace(TASK, version="other")),
        now(replace(TASK, limits=Limits(seconds=1.0))),
        now(walls=Walls(level="B")),
        now(walls=Walls(device="cuda"), device=DeviceChoice(GPU)),
        now(walls=Walls(device="cuda"), device=DeviceChoice(replace(GPU, name="another"))),
    ]
    assert found[0] == now()
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("library", ["torch", "numpy", "libcst"])
def test_another_version_of_a_library_is_another_circumstance(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = now(), importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.0" if name == library else real(name))
    assert now() != before


def test_another_processor_is_another_circumstance(monkeypatch: pytest.MonkeyPatch) -> None:
    before = now()
    monkeypatch.setattr(module, "_processor", lambda: "one without AVX")
    assert now() != before


def test_a_changed_line_of_what_judges_is_another_circumstance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "judge.py").write_text("LIMIT = 1\n")
    monkeypatch.setattr(module, "fitness", SimpleNamespace(__path__=[str(tmp_path)]))
    found = []
    for text in ("LIMIT = 1\n", "LIMIT = 2\n"):
        (tmp_path / "judge.py").write_text(text)
        module._code.cache_clear()
        found.append(now())
    module._code.cache_clear()
    assert len(set(found)) == 2
    assert Path(fitness.__path__[0], "judge.py").is_file()
