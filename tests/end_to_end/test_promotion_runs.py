"""`promote`: the best methods of a run earn instances of another domain, by successive halving."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evolve.cli import run
from tests.support import tiny
from tests.support.own_tasks import CURVE, CURVE_SEEDS, written

SMALL = ["--set", "dev_instances=3", "--set", "fresh_instances=2", "--set", "held_out_instances=0", "--set", "finalists=1"]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


def searched(capsys: Captured) -> None:
    assert run(["start", "--task", "tiny", "--evals", "6", *SMALL, "--device", "cpu", "--db", "run.db"]) == 0
    capsys.readouterr()


def test_the_better_half_earns_twice_as_many_instances_and_the_order_is_compared(capsys: Captured) -> None:
    searched(capsys)
    words = ["promote", "--db", "run.db", "--task", "tiny", "--domain", "math", "--methods", "5", "--device", "cpu"]
    assert run([*words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    methods = found["methods"]
    assert [one["instances"] for one in methods] == [8, 8, 4, 2, 2]
    assert [one["status"] for one in methods] == ["OK"] * 5
    assert methods[0]["pgr"] >= methods[1]["pgr"]
    assert min(one["first_pgr"] for one in methods[:3]) >= max(one["first_pgr"] for one in methods[3:])
    assert methods[0]["low"] < methods[0]["pgr"] < methods[0]["high"]
    assert methods[-1]["low"] is None, "no interval of two instances"
    assert (found["compared"], found["domain"], found["task"]) == (5, "math", "tiny")
    assert -1 <= found["correlation"] <= 1
    assert run(words) == 0
    said = capsys.readouterr().out
    assert "judged on math of tiny" in said
    assert "Rank correlation of the run's dev PGR with PGR here (Spearman)" in said


def test_methods_for_another_contract_are_refused_before_work_begins(capsys: Captured, tmp_path: Path) -> None:
    searched(capsys)
    path = written(tmp_path / "mine", CURVE, CURVE_SEEDS)
    assert run(["promote", "--db", "run.db", "--task", str(path)]) == 2
    assert "methods for tiny are handed other arrays, or return another answer" in " ".join(capsys.readouterr().err.split())
    assert run(["promote", "--db", "run.db", "--task", "tiny", "--domain", "nope"]) == 2
    assert "tiny has no domain 'nope'" in capsys.readouterr().err
