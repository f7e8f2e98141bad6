"""From the first second of a start to the end of a run that has bred nothing: what is said, what is left, who may read it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import evolve
from archives.archive import Archive
from evolve.cli import run
from evolve.runs import session
from tests.support import tiny
from tests.support.model_server import Fault, ModelServer

NOTHING = "There is no champion, and nothing is shown: the search has bred no method"


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


def run_of(db: str) -> dict[str, Any]:
    archive = Archive.open(Path(db))
    try:
        return dict(archive.rows("select champion, human_best, verdict, state from runs")[0])
    finally:
        archive.close()


@pytest.mark.parametrize("fault", ["no time", "no_code", "crashing", "forbidden", "unauthorized"])
def test_a_baseline_is_never_announced_as_what_the_search_has_found(
    fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    with ModelServer([Fault(fault)] * 99 if fault != "no time" else []) as server:
        words = ["--model", "openai:tiny", "--base-url", server.url, "--set", "offline_share=0", "--set", "max_calls=4"]
        code = run(["start", *tiny.SMALL, *(words if fault != "no time" else ["--minutes", "0.0001"]), "--db", "run.db"])
    if fault == "unauthorized" and code:
        assert run_of("run.db")["champion"] == ""
        return
    assert code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert NOTHING in shown
    assert "beats the human best" not in shown
    found = run_of("run.db")
    assert (found["champion"], found["human_best"], found["state"]) == ("", "", "finished")
    assert found["verdict"].startswith(NOTHING)
    assert not Path("run-best.py").exists()
    for kind in ("html", "md", "json"):
        assert run(["report", "--db", "run.db", "--format", kind, "--out", f"page.{kind}"]) == 0
        page = Path(f"page.{kind}").read_text("utf-8")
        assert NOTHING in page
        assert "Champion: " not in page
        assert "Best so far: lda" not in page
    assert json.loads(Path("page.json").read_text())["standing"]["best"] is None
    capsys.readouterr()
    for verb in (["export"], ["sealed"], ["show"], ["lineage"], ["credit"]):
        assert run([*verb, "--db", "run.db"]) == 2
        assert "bred no method that was judged OK" in capsys.readouterr().err
    opened = evolve.open_run("run.db")
    assert opened.final_table() == []
    assert opened.status()["champion"] == ""
    with pytest.raises(evolve.EvolveError, match="bred no method"):
        opened.export("best.py")


def test_the_api_and_json_say_that_nothing_was_bred(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["start", *tiny.SMALL, "--minutes", "0.0001", "--db", "run.db", "--json"]) == 0
    end = json.loads(capsys.readouterr().out.splitlines()[-1])["end"]
    assert (end["result"], end["verdict"].startswith(NOTHING), list(end["files"])) == (None, True, ["report"])


def test_a_start_leaves_no_archive_when_its_first_row_cannot_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise evolve.EvolveError("no room for it")

    with monkeypatch.context() as patch:
        patch.setattr(session, "record_walls", broken)
        assert run(["start", *tiny.SMALL, "--evals", "1", "--db", "new/run.db"]) == 2
    assert "no room for it" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_bad_seeds_file_is_told_before_a_vault_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "home"))
    (tmp_path / "bad.py").write_text("def method(problem)\n")
    (tmp_path / "imports.py").write_text("import socket\n\n\ndef method(problem):\n    return problem.weak[:, 1]\n")
    for name in ("bad.py", "imports.py", "none.py"):
        assert run(["start", *tiny.SMALL, "--evals", "1", "--seeds", name, "--db", "run.db"]) == 2
        assert name in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.py", "imports.py"]


def test_all_that_a_run_writes_is_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "home"))
    before = os.umask(0)
    try:
        assert run(["start", *tiny.SMALL, "--evals", "2", "--seeds", str(tiny.TASK.seeds[0])]) == 0
    finally:
        os.umask(before)
    made = [tmp_path / "runs", tmp_path / "home", *(tmp_path / "runs").rglob("*"), *(tmp_path / "home").rglob("*")]
    assert {path.suffix for path in made} >= {".db", ".html", ".instance"}
    open_to_others = {str(path): oct(path.stat().st_mode) for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert not open_to_others


@pytest.fixture
def begun(root: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start programs that are stopped at the end."""
    running = list[subprocess.Popen[str]]()

    def begin(*words: str) -> subprocess.Popen[str]:
        paths = {**os.environ, "PYTHONPATH": str(root)}
        process = subprocess.Popen(tiny.command(*words), env=paths, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        return process

    yield begin
    for process in running:
        process.send_signal(signal.SIGINT)
    for process in running:
        process.communicate(timeout=60)


@pytest.mark.parametrize("named", [True, False])
def test_ui_waits_for_a_run_whose_start_is_under_way(named: bool, begun: Callable[..., subprocess.Popen[str]]) -> None:
    from tests.support.example_run import build

    build(Path("runs/before.db"), 2)
    begun("start", *tiny.SMALL, "--evals", "3", *(["--db", "mine.db"] if named else []))
    where, until = Path(".") if named else Path("runs"), time.monotonic() + 30
    while not (locks := list(where.glob("*.db.lock"))):
        assert time.monotonic() < until
        time.sleep(0.02)
    shown = begun("ui", "--port", "0", *(["--db", "mine.db"] if named else []))
    assert shown.stdout
    line = shown.stdout.readline()
    assert locks[0].name.removesuffix(".lock") in line
    assert "http://127.0.0.1:" in line


def test_starts_in_one_second_all_run(begun: Callable[..., subprocess.Popen[str]]) -> None:
    several = [begun("start", *tiny.SMALL, "--minutes", "0.0001") for _ in range(3)]
    assert [process.wait(timeout=120) for process in several] == [0, 0, 0]
    assert len(list(Path("runs").glob("*.db"))) == 3
