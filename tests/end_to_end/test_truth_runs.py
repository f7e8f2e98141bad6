"""The task truth from outside: what is judged, listed and forecast on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evolve.cli import run
from fitness.tasks.truth.task import TASK


def test_a_method_file_of_the_embedded_task_is_judged_as_it_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(root / "seeds" / "lda.py"), str(root / "seeds" / "truth" / "massmean.py")]
    words = ["judge", *files, "--task", "truth", "--instances", "3", "--no-probes", "--device", "cpu", "--json"]
    assert run(words) == 0
    for found in json.loads(capsys.readouterr().out):
        assert found["status"] == "OK"
        assert 0.5 < found["weak_acc"] < 0.65
        assert 0.75 < found["strong_acc"] < 0.9
        assert found["pgr"] > 0.1, "of ten instances both had .3 and more"


def test_what_is_carried_over_to_denials_is_turned_round(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["judge", str(root / "seeds" / "vanilla.py"), "--task", "truth", "--domain", "to_denied_cities"]
    assert run([*words, "--instances", "3", "--no-probes", "--device", "cpu", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["weak_acc"], found["strong_acc"]) == (0.5, 1.0)
    assert found["pgr"] == pytest.approx(2 * found["transfer_acc"] - 1)
    assert found["pgr"] < 0.05


def test_its_baselines_are_those_of_every_task_of_the_kind_and_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["seed", "list", "--task", "truth", "--json"]) == 0
    own = {one["name"] for one in json.loads(capsys.readouterr().out)}
    assert run(["seed", "list", "--json"]) == 0
    assert own - {one["name"] for one in json.loads(capsys.readouterr().out)} == {"massmean", "icm", "icm_greedy"}
    assert run(["start", "--task", "truth", "--dry-run"]) == 0
    assert f"{len(own)} seeds" in " ".join(capsys.readouterr().out.split())
    assert TASK.search_domains[0] == "cities"
