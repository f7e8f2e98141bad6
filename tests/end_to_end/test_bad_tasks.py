"""Tasks with something wrong in them: one sentence each, with the function or the array, before anything is spent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evolve.cli import run
from evolve.errors import UsageError
from evolve.runs.task_check import before_start
from fitness import tasks
from fitness.checks import draws

FILE = '''\
"""Twelve numbers, of which one tells the class in a way that is drawn anew."""
import numpy as np

from evolve import Draw, Task, answer, array

task = Task("plain", search=["a"], public=[array("x", "n d"), array("y", "n", "int64"), array("x_new", "m d")],
            answer=answer("m", 0, 1), brief="Predict.", seconds=10, scale=(0, 1))


def make(rng):
    direction = rng.standard_normal(12)
    x = rng.standard_normal((600, 12)).astype(np.float32)
    truth = (x @ direction > 0).astype(np.int64)
    return x[:300], truth[:300], x[300:], truth[300:]


@task.draw
def draw(domain, rng):
    x, y, x_new, truth = make(rng)
    {before}
    return Draw({{{public}}}, {{"truth": truth}}, {floor}, {ceiling})


@task.score
def score(answer, private):
    {score}


task.seeds("baselines")
'''
USUAL = {
    "before": "pass",
    "public": '"x": x, "y": y, "x_new": x_new',
    "floor": "0.5",
    "ceiling": "1.0",
    "score": 'return float(np.mean((answer > 0.5) == private["truth"]))',
}
METHOD = """\
def method(problem):
    import torch
    y = torch.as_tensor(problem.y)
    direction = problem.x[y == 1].mean(0) - problem.x[y == 0].mean(0)
    return torch.sigmoid(problem.x_new @ direction)
"""
LEAKS = {
    "label column": "x_new[:, 3] = truth",
    "row order": "order = np.argsort(truth, kind='stable'); x_new, truth = x_new[order], truth[order]",
    "duplicated rows": "x[:40] = x_new[:40]",
    "id": "x_new[:, 5] = 1000 * truth + rng.permutation(300)",
    "norm": "x_new = x_new / np.linalg.norm(x_new, axis=1, keepdims=True) * (1 + 2 * truth[:, None]).astype(np.float32)",
}
START = ["--evals", "2", "--device", "cpu", "--set", "dev_instances=4", "--set", "fresh_instances=2"]


@pytest.fixture(autouse=True)
def _forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command is a process of its own to its user."""
    monkeypatch.setattr(tasks, "_ADMITTED", {})


def written(tmp_path: Path, **changes: str) -> Path:
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / "means.py").write_text(METHOD)
    path = tmp_path / "plain.py"
    path.write_text(FILE.format(**{**USUAL, **changes}))
    return path


def refused(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Begin a search, which must be refused before there is an archive; return the sentence."""
    db = path.parent / "run.db"
    assert run(["start", "--task", str(path), "--db", str(db), *START]) == 2
    assert not db.exists()
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return " ".join(said.split())


@pytest.mark.parametrize("kind", LEAKS)
def test_start_refuses_each_planted_leak_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    assert f"fails the check 'leak: {kind}'" in refused(written(tmp_path, before=LEAKS[kind]), capsys)


def test_task_check_refuses_a_planted_leak_by_name_and_passes_the_clean_twin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("clean", "leaky"):
        (tmp_path / name).mkdir()
    clean = written(tmp_path / "clean")
    assert run(["task", "check", str(clean), "--device", "cpu"]) == 0, capsys.readouterr()
    assert "checks pass" in capsys.readouterr().out
    leaky = written(tmp_path / "leaky", before=LEAKS["id"])
    assert run(["task", "check", str(leaky), "--device", "cpu"]) == 2
    assert "FAIL leak: id: column 5 of x_new" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"public": '"x": x, "y": y'}, "the public array x_new is missing"),
        ({"public": '"x": x, "y": y, "x_new": x_new[:, :5]'}, "the public array x_new has shape (300, 5)"),
        (
            {"public": '"x": x, "y": y, "x_new": x_new.astype(float)'},
            "the public array x_new is float64, and declared as float32",
        ),
        ({"before": "x[0, 0] = np.nan"}, "the public array x holds numbers that are not finite"),
        ({"before": "raise KeyError('nothing there')"}, "draw() of the task plain raised KeyError"),
        (
            {"before": "rng = np.random.default_rng(); x, y, x_new, truth = make(rng)"},
            "two draws of one instance of a differ in",
        ),
        ({"before": "x = x + np.float32(hash('x') % 1000003)"}, "two draws of one instance of a differ in the public array x"),
        ({"floor": "1.1"}, "ceilings less than 0.00 above their floors"),
        ({"ceiling": "float('nan')"}, "the ceiling of an instance is nan"),
        ({"score": "return float('nan')"}, "score() of the task plain returned nan"),
        ({"score": "return answer"}, "score() of the task plain returned"),
        ({"score": "return 7.0"}, "score() of the task plain returned 7"),
        ({"score": "raise ValueError('no')"}, "score() of the task plain raised ValueError"),
        ({"score": "return 0.96"}, "zeros recovers most"),
    ],
)
def test_a_fault_is_one_sentence_before_anything_is_spent(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    task = tasks.load(tasks.admit(str(written(tmp_path, **changes))))
    with pytest.raises(UsageError, match=re.escape(said)):
        before_start(task, print)


def test_a_draw_that_takes_an_hour_is_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draws, "DRAWING", 3.0)
    path = written(tmp_path, before="import time; time.sleep(3600)")
    assert "draw() takes more than 3 s for an instance of a" in refused(path, capsys)


def test_imports_that_may_move_are_said_and_not_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("import numpy", "from fitness.nouns import Limits\nimport numpy", 1))
    assert run(["task", "check", str(path), "--device", "cpu"]) == 0
    assert "plain.py imports fitness.nouns.Limits, which may move" in " ".join(capsys.readouterr().out.split())


def test_a_false_alarm_can_be_overruled_and_a_task_is_checked_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, db = written(tmp_path, before=LEAKS["norm"]), tmp_path / "run.db"
    start = ["start", "--task", str(path), *START]
    assert run([*start, "--db", str(db), "--set", "check_task=false"]) == 0
    assert run([*start, "--db", str(tmp_path / "again.db")]) == 2, "what was overruled is not taken as checked"


def test_a_file_that_is_edited_is_said_on_resume(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, db = written(tmp_path), tmp_path / "run.db"
    assert run(["start", "--task", str(path), "--db", str(db), *START]) == 0
    path.write_text(path.read_text() + "# edited\n")
    tasks._ADMITTED.clear()
    for verb in ("resume", "replay"):
        capsys.readouterr()
        assert run([verb, "--db", str(db), "--task", str(path)]) == 2
        assert "was edited: it is plain-" in capsys.readouterr().err
