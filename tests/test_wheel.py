"""The wheel: everything that the packages read is in it, and its command is ours."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

PACKAGES = ("evolve", "fitness", "archives", "seeds")


def test_the_command_is_ours(root: Path) -> None:
    script = tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"]["evolve"]
    module, _, name = script.partition(":")
    assert getattr(import_module(module), name) is import_module("evolve.__main__").main


def test_a_wheel_holds_every_file_of_the_packages(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="needs hatchling")
    command = [sys.executable, "-m", "pip", "wheel", str(root), "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    ours = {
        str(path.relative_to(root))
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"evolve/py.typed", "fitness/py.typed", "archives/py.typed"} <= ours <= names
