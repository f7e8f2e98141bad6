"""A name that no file or method can have is one sentence with exit 2, whichever verb is given it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evolve.cli import run as evolve
from tests.support.example_run import build

LONG = "L" * 300
NO_TEXT = os.fsdecode(b"b\xff")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("runs") / "whole.db", 8)


@pytest.mark.parametrize(
    "verb",
    [
        f"status --db {LONG}.db", f"start --db {LONG}.db", f"start --dry-run --db {LONG}.db", f"resume --db {LONG}.db",
        f"start --seeds {LONG}.py", f"start --config {LONG}.toml", f"start --data {LONG} --task w2s",
        f"report --db DB --out {LONG}.html", f"report --db DB --out={LONG}/a.html", f"report --db DB --format png --out {LONG}",
        f"export --db DB --out {LONG}", f"archive merge DB DB --out {LONG}.db", f"archive merge DB {LONG}.db --out x.db",
        f"archive backup --db DB {LONG}.db", f"archive check --db DB --repair --out {LONG}.db", f"judge {LONG}.py",
        f"judge {LONG}", f"new {LONG}.py", f"report --db {LONG}/{LONG}.db", f"ui --db {LONG}.db", f"replay --db {LONG}.db",
        f"seed {LONG}.py --db DB", f"credit --db DB --control {LONG}.db", f"task check {LONG}.py",
    ],
)  # fmt: skip
def test_a_path_that_is_too_long_is_a_sentence(
    verb: str, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert evolve(verb.replace("DB", str(db)).split()) == 2
    told = capsys.readouterr().err
    assert told.strip()
    assert "Traceback" not in told
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "verb",
    [
        ["show", NO_TEXT], ["diff", NO_TEXT], ["lineage", NO_TEXT], ["credit", NO_TEXT], ["sealed", NO_TEXT],
        ["top", "--direction", NO_TEXT], ["top", f"--model={NO_TEXT}"], ["top", "--operator", NO_TEXT],
        ["top", "--domain", NO_TEXT],
    ],
)  # fmt: skip
def test_a_word_that_is_not_utf_8_is_a_sentence(verb: list[str], db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evolve([*verb, "--db", str(db)]) == 2
    told = capsys.readouterr().err
    assert "b\\udcff" in told
    assert "Traceback" not in told
