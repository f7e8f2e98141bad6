"""Two questions of a user's own, far from weak supervision: ten classes and a curve, each from its file to a report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import evolve
from archives.archive import Archive
from evolve.cli import run
from evolve.testing import check_task
from fitness import tasks
from fitness.registry import load
from tests.support.own_tasks import CURVE, CURVE_SEEDS, DIGIT_SEEDS, DIGITS, written

SMALL = ["--device", "cpu", "--workers", "1", "--set", "dev_instances=3", "--set", "fresh_instances=3"]
SMALL += ["--set", "held_out_instances=2", "--set", "finalists=1"]


@pytest.fixture(autouse=True)
def _forgets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each command is a process of its own to its user, and stands in an empty folder."""
    monkeypatch.setattr(tasks, "_ADMITTED", {})
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("file", "seeds", "probes"),
    [
        (DIGITS, DIGIT_SEEDS, {"determinism", "constant", "apart_m", "permute_n", "needs_y", "canary"}),
        (CURVE, CURVE_SEEDS, {"determinism", "constant", "apart_m", "permute_n", "turn_x", "canary"}),
    ],
    ids=["ten classes", "a curve"],
)
def test_a_question_of_ones_own_goes_from_its_file_to_a_report(
    file: str, seeds: dict[str, str], probes: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = written(tmp_path / "mine", file, seeds), tmp_path / "report.json"
    assert run(["start", "--task", str(path), "--evals", "8", "--db", "run.db", *SMALL]) == 0, capsys.readouterr().err
    archive = Archive.open(Path("run.db"))
    assert archive.run().state == "finished"
    assert archive.judged() == 8
    trials = archive.rows("select status, pgr, transfer_acc, weak_acc, strong_acc from trials where split = 'dev'")
    scored = [row for row in trials if row["status"] == "OK"]
    assert len(scored) > len(trials) / 2
    for row in scored:
        recovered = (row["transfer_acc"] - row["weak_acc"]) / (row["strong_acc"] - row["weak_acc"])
        assert row["pgr"] == pytest.approx(recovered)
    assert {row["probe"] for row in archive.rows("select distinct probe from probes")} <= probes
    assert not archive.rows("select 1 from methods where origin = 'seed' and flags != ''"), "no baseline is flagged"
    archive.close()
    capsys.readouterr()
    for verb in (
        ["status"],
        ["top"],
        ["map"],
        ["show", Path(next(iter(seeds))).stem],
        ["report", "--format", "json", "--out", str(out)],
    ):
        assert run([*verb, "--db", "run.db"]) == 0, verb
    told = json.loads(out.read_text())["words"]
    assert told["floor"] == ("the mean of the curve" if file is CURVE else "the floor")
    assert f"PGR 0: {told['floor']}" in Path("run.html").read_text()
    tasks._ADMITTED.clear()
    assert run(["replay", "--db", "run.db", "--task", str(path)]) == 0
    capsys.readouterr()
    method = path.parent / "seeds" / next(iter(seeds))
    assert run(["judge", str(method), "--task", str(path), "--instances", "3", "--device", "cpu", "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert {finding["probe"] for finding in verdict["probes"]} == probes
    assert verdict["flags"] == []


def broken(line: str) -> Callable[[str], str]:
    """Return what puts another line in the place of a score."""
    return lambda file: file.replace('    return -np.mean((answer - private["f"]) ** 2)', f"    {line}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (broken("return float('nan')"), "score() of the task curve returned nan, expected a number, finite"),
        (broken("return private['g']"), "score() of the task curve raised KeyError at line"),
        (lambda file: file.replace('"noise": np.float32(0.3)', '"noise": 0.3'), "the public array noise is float64"),
        (lambda file: file.replace("floor=floor", "floor=1.0"), "had ceilings less than 0.00 above their floors"),
        (
            lambda file: file.replace("rng.standard_normal((6, 3))", "rng.moon()"),
            "draw() of the task curve raised",
        ),
    ],
    ids=["NaN", "an exception", "a wrong type", "a floor above its ceiling", "no draw"],
)
def test_a_fault_of_the_task_ends_the_run_in_one_sentence_and_is_held_against_no_method(
    change: Callable[[str], str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert change(CURVE) != CURVE
    path = written(tmp_path / "mine", change(CURVE), CURVE_SEEDS)
    assert run(["start", "--task", str(path), "--evals", "8", "--db", "run.db", *SMALL]) == 2
    shown = capsys.readouterr().err
    assert said in " ".join(shown.split()), shown
    assert "Traceback" not in shown
    if Path("run.db").exists():
        archive = Archive.open(Path("run.db"))
        assert not archive.rows("select 1 from evaluations where status != 'OK'")
        archive.close()


def test_the_same_task_from_python(tmp_path: Path) -> None:
    path = written(tmp_path / "mine", CURVE, CURVE_SEEDS)
    small = {"dev_instances": 3, "fresh_instances": 3, "held_out_instances": 2, "finalists": 1, "workers": 1, "device": "cpu"}
    found = evolve.search(task=load(f"{path}:task"), evals=4, observer=None, path=tmp_path / "run.db", **small)
    assert found.status()["evaluations"] == 4
    assert found.leaderboard(3)


def test_a_script_that_searches_its_own_task_needs_no_guard(root: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "mine", CURVE, CURVE_SEEDS)
    start = "evolve.start(task=task, evals=1, observer=None, path='run.db', dev_instances=3, device='cpu')"
    path.write_text(f"{CURVE}\n\nimport evolve\n\n{start}\n")
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert evolve.open_run(tmp_path / "run.db").status()["evaluations"] == 1


def test_tasks_of_ones_own_keep_the_contract_of_tasks(tmp_path: Path) -> None:
    for name, file, seeds in (("digits", DIGITS, DIGIT_SEEDS), ("curve", CURVE, CURVE_SEEDS)):
        check_task(tasks.load(tasks.admit(str(written(tmp_path / name, file, seeds)))))


def test_a_prompt_speaks_of_the_task_alone(tmp_path: Path) -> None:
    from evolve.runs.forecast import system_text

    system = system_text(tasks.load(tasks.admit(str(written(tmp_path / "mine", CURVE, CURVE_SEEDS)))), ())
    assert "The score is the gap recovered" in system
    assert "Predict the curve at the new points." in system
    for word in ("weak", "teacher", "student", "strong", "train_x", "test_x", "probabilities"):
        assert word not in system.lower(), f"the prompt speaks of {word}"
