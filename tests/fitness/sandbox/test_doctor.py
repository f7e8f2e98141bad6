"""The doctor: each wall is tried by using it, and a wall that is down is said to be down."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evolve.cli import run
from fitness.nouns import SandboxUnavailable
from fitness.sandbox import build_filter, launch
from fitness.sandbox.device import DeviceChoice, choose
from fitness.sandbox.doctor import diagnose
from fitness.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[3]


def test_the_diagnosis_names_each_wall_with_a_sentence() -> None:
    found = diagnose()
    assert [wall.name for wall in found.walls] == ["rlimits", "landlock", "seccomp", "children", "bubblewrap"]
    assert all(wall.detail for wall in found.walls)
    up = {wall.name: wall.up for wall in found.walls}
    core = all(up[name] for name in ("rlimits", "landlock", "seccomp", "children"))
    assert (found.level == "A") == (core and up["bubblewrap"])
    assert (found.level in ("A", "B")) == core


def test_the_verb_names_the_devices_and_why_there_is_no_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    choice = choose("auto")
    assert found["devices"] == (["cpu", "cuda"] if choice.gpu else ["cpu"])
    assert choice.gpu or choice == DeviceChoice(None, f"methods run on the CPU: {found['gpu']}")
    assert run(["doctor"]) == 0
    assert f"devices: {', '.join(found['devices'])} ({found['gpu']})" in capsys.readouterr().out


def test_it_needs_no_torch() -> None:
    code = "import sys; from fitness.sandbox.doctor import diagnose; diagnose(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_without_bubblewrap_it_is_level_b(reached: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    if not reached:
        pytest.skip("sandbox level B (see `python -m evolve doctor`)")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = diagnose()
    assert found.level == "B"
    assert "install the system package" in found.walls[-1].detail
    with pytest.raises(SandboxUnavailable, match=r"level A cannot be reached .* bubblewrap is not installed"):
        Sandbox("A")


FIVE = [
    ("root", "A", {}),
    ("ordinary_user", "A", {}),
    ("no_user_namespaces", "B", {"bubblewrap": "namespace"}),
    ("no_bubblewrap", "B", {"bubblewrap": "bubblewrap is not installed: install the system package `bubblewrap`"}),
    ("no_landlock", "C", {"landlock": "this kernel has no Landlock: it takes 5.13 or later"}),
]


@pytest.mark.parametrize(("place", "level", "down"), FIVE, ids=[place for place, _, _ in FIVE])
def test_it_tells_the_truth_in_five_places(
    reached: tuple[str, ...], place: str, level: str, down: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    if "A" not in reached:
        pytest.skip("sandbox level A (see `python -m evolve doctor`)")
    if place in ("root", "ordinary_user") and os.geteuid() != 0:
        pytest.skip("being root")
    there = [] if place == "root" else [sys.executable, str(ROOT / "tests" / "support" / "places.py"), place]
    words = "import sys; from fitness.sandbox.sandbox import Sandbox; Sandbox()"
    asked = [[sys.executable, "-m", "evolve", "doctor"], [sys.executable, "-m", "evolve", "doctor", "--json"]]
    text, answer = (subprocess.run([*there, *a], cwd=ROOT, capture_output=True, text=True, check=True).stdout for a in asked)
    found = json.loads(answer)
    assert text.startswith(f"sandbox level {level}: ")
    assert found["level"] == level
    assert {wall for wall, state in found["walls"].items() if not state["up"]} == set(down)
    for wall, sentence in down.items():
        assert sentence in found["walls"][wall]["detail"]
        assert f"down {wall}" in text
    if level not in ("A", "B"):
        refused = subprocess.run([*there, sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True)
        assert "sandbox level A or B cannot be reached on this machine" in refused.stderr


def test_walls_that_do_not_hold_are_found_out(reached: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    if not reached:
        pytest.skip("sandbox level B (see `python -m evolve doctor`)")
    with monkeypatch.context() as patch:
        patch.setattr(launch, "SYSTEM", ("/",))
        found = {wall.name: wall for wall in diagnose().walls}
        assert not found["landlock"].up
        assert "was not stopped" in found["landlock"].detail
    with monkeypatch.context() as patch:
        allow_all = build_filter._step(build_filter._RETURN, build_filter._ALLOW)
        patch.setattr(launch, "seccomp_program", lambda: allow_all)
        found = {wall.name: wall for wall in diagnose().walls}
        assert not found["seccomp"].up
        assert diagnose().level == "none"
        with pytest.raises(SandboxUnavailable, match="a new process was not stopped"):
            Sandbox()


def test_another_system_has_no_walls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    found = diagnose()
    assert found.level == "none"
    assert not any(wall.up for wall in found.walls)
    with pytest.raises(SandboxUnavailable, match="it needs Linux"):
        Sandbox()


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("architecture", build_filter.ARCHITECTURES)
def test_the_shipped_filters_are_what_the_source_builds(architecture: str, gpu: bool) -> None:
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        pytest.skip("rebuilding the seccomp filters (needs pyseccomp and libseccomp)")
    shipped = build_filter.FILTERS / f"{architecture}{'-cuda' if gpu else ''}.bpf"
    assert shipped.read_bytes() == build_filter.build(architecture, gpu)


@pytest.mark.parametrize("below", ["", "dist-packages", "python3.9/site-packages"])
def test_the_data_of_every_scikit_learn_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str) -> None:
    data = tmp_path / below / "sklearn" / "datasets" / "data"
    data.mkdir(parents=True)
    monkeypatch.setattr(launch, "SYSTEM", (str(tmp_path),))
    inner = launch.interior()
    assert str(data) in inner.hidden
    assert not {str(data), str(data.parent), str(tmp_path)} & set(launch.grants(inner)[0])


def test_grants_leave_out_what_is_hidden(tmp_path: Path) -> None:
    for path in ("lib/a/data/secret", "lib/a/code", "lib/b/code", "other/x"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    os.symlink(tmp_path / "lib/a/data", tmp_path / "lib/a/link")
    inner = launch.Interior("python", (), (f"{tmp_path}/lib", f"{tmp_path}/other"), (f"{tmp_path}/lib/a/data",))
    readable, listable = launch.grants(inner)
    assert sorted(readable) == [f"{tmp_path}/{p}" for p in ("lib/a/code", "lib/b", "other")]
    assert sorted(listable) == [f"{tmp_path}/lib", f"{tmp_path}/lib/a"]
