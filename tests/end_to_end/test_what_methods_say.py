"""What a method prints and where it failed is for the person at the terminal alone; what it notes is stored."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from archives.archive import Archive
from evolve.cli import run
from evolve.report.html.page import write_report
from tests.support import tiny

SAYS = """import torch


def helper(x):
    print("word-that-it-printed \\x1b[2J\\u202e")
    return x @ torch.zeros(17, 3)


def method(problem):
    return {end}
"""


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


def judged(source: str, capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    Path("mine.py").write_text(source)
    assert run(["judge", "mine.py", "--task", "tiny", "--instances", "1", "--no-probes", *flags]) == 0
    return capsys.readouterr().out


def test_judge_shows_what_a_method_prints_and_its_calls(capsys: pytest.CaptureFixture[str]) -> None:
    out = judged(SAYS.format(end="helper(problem.test_x)"), capsys)
    assert "RuntimeError at line 6 of the method" in out
    assert "called: method.py, line 10, in method" in out
    assert "called: method.py, line 6, in helper" in out
    assert "printed: word-that-it-printed" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_judge_shows_what_a_good_method_prints_too(capsys: pytest.CaptureFixture[str]) -> None:
    good = "def method(problem):\n    print('all', 'well')\n    return problem.test_x[:, 0].sigmoid()\n"
    assert "printed: all well" in judged(good, capsys)
    assert json.loads(judged(good, capsys, "--json"))["said"] == ["printed: all well"]


def test_what_a_method_prints_reaches_no_archive_and_so_no_prompt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["start", *tiny.SMALL, "--evals", "2", "--db", "run.db"]) == 0
    printed = "said_" + "aloud"
    Path("mine.py").write_text(
        "def method(problem):\n    print('said_' + 'aloud')\n    raise ValueError('said_' + 'aloud'[:0])\n"
    )
    run(["seed", "add", "mine.py", "--db", "run.db"])
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("run.db*"))
    assert b"ValueError at line 3 of the method" in stored + capsys.readouterr().out.encode()
    assert printed.encode() not in stored


def test_what_a_method_notes_is_stored_and_shown_and_stands_in_no_prompt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noting = "def method(problem):\n    problem.note('no' + 'ted.dimensions', problem.train_x.shape[1])\n"
    Path("noting.py").write_text(noting + "    return problem.student.fit(problem.train_x, problem.weak)(problem.test_x)\n")
    assert run(["start", *tiny.SMALL, "--evals", "3", "--db", "run.db", "--seeds", "noting.py"]) == 0
    capsys.readouterr()
    assert run(["show", "noting", "--db", "run.db", "--json"]) == 0
    trials = [trial for line in json.loads(capsys.readouterr().out)["evaluations"] for trial in line["trials"]]
    width = trials[0]["notes"]["noted.dimensions"]
    assert width > 1
    assert all(trial["notes"] == {"noted.dimensions": width} for trial in trials)
    assert run(["show", "noting", "--db", "run.db"]) == 0
    assert "noted.dimensions" in capsys.readouterr().out
    assert run(["show", "lda", "--db", "run.db"]) == 0
    assert "noted" not in capsys.readouterr().out
    with contextlib.closing(Archive.open(tmp_path / "run.db")) as archive:
        asked = archive.rows("select prompt, reply from proposals")
        assert asked
        assert "noted.dimensions" not in str(asked) + archive.run().system
        page = write_report(archive, tmp_path / "run.html", alive=False).read_text()
    assert "What it noted" in page
    assert "noted.dimensions" in page
    assert run(["replay", "--db", "run.db", *tiny.SMALL[:2]]) == 0
