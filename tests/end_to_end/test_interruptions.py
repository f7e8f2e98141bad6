"""Whole runs that something goes wrong with: methods that misbehave, Ctrl-C, kill -9, a second process, a full disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from archives.archive import Archive
from tests.end_to_end.test_end_to_end import rows, start
from tests.support import tiny
from tests.support.model_server import Fault, ModelServer


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


BAD = {
    "loops": ("while True:\n        pass", "TIMED_OUT"),
    "hungry": ("return torch.zeros(10 ** 12)", "OUT_OF_MEMORY"),
    "chatty": ("while True:\n        print('x' * 1000)", "VIOLATION"),
    "shape": ("return torch.zeros(3)", "INVALID"),
    "nan": ("return torch.full((len(problem.test_x),), float('nan'))", "INVALID"),
    "text": ("return 'good'", "INVALID"),
    "nothing": ("pass", "INVALID"),
    "raises": ("raise ValueError('no')", "CRASHED"),
    "exits": ("raise SystemExit(0)", "CRASHED"),
    "forks": (
        "import torch.multiprocessing as m\n    p = m.get_context('fork').Process(target=print)\n    p.start()",
        "CRASHED",
    ),
}


def test_bad_methods_get_a_status_and_a_sentence_and_the_run_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    for name, (body, _) in BAD.items():
        (folder / f"{name}.py").write_text(f"import torch\n\n\ndef method(problem):\n    {body}\n")
    assert start("--seeds", str(folder), evals=3) == 0
    found = {row["name"]: row for row in rows("select m.name, e.* from evaluations e join methods m on m.id = e.method")}
    assert {name: found[name]["status"] for name in BAD} == {name: status for name, (_, status) in BAD.items()}
    for name in BAD:
        assert len(found[name]["message"]) > 10
        assert (found[name]["fitness"], found[name]["pgr"]) == (None, None)
    assert rows("select count(*) as n from proposals where state = 'done'")[0]["n"] == 3
    placed = {row["method"] for row in rows("select method from elites")}
    assert not placed & {found[name]["method"] for name in BAD}


def environment(**extra: str) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", **extra}


def begin(root: Path, db: Path, evals: int, *more: str) -> subprocess.Popen[str]:
    """Start a run in a process of its own and wait until it breeds."""
    arguments = tiny.command("start", *tiny.SMALL, "--evals", str(evals), "--db", str(db), "--json", *more)
    process = subprocess.Popen(
        arguments,
        cwd=root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("snapshot", {}).get("evaluations", 0) >= 3:
            return process
    raise AssertionError(f"the run never bred: {process.stderr.read() if process.stderr else ''}")


def resume(root: Path, db: Path, *more: str) -> str:
    done = subprocess.run(
        tiny.command("resume", "--db", str(db), *more), cwd=root, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_whole(db: Path, evals: int) -> None:
    """Nothing was lost and nothing was judged twice."""
    counts = Counter(row["state"] for row in rows("select state from proposals", str(db)))
    assert counts["done"] == evals
    assert counts["proposed"] + counts["judging"] == 0
    dev = rows("select method, count(*) as n from evaluations where split = 'dev' group by method", str(db))
    assert {row["n"] for row in dev} == {1}


def children_of(group: int) -> list[str]:
    """Return what still runs in a process's session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == group and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(root: Path, tmp_path: Path) -> None:
    db = tmp_path / "stopped.db"
    process = begin(root, db, evals=40)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert json.loads(out.splitlines()[-1])["end"]["interrupted"] is True
    before = rows("select count(*) as n from proposals where state = 'done'", str(db))[0]["n"]
    assert 3 <= before < 40
    assert rows("select state from runs", str(db)) == [{"state": "interrupted"}]
    assert "the human best" in resume(root, db, "--evals", str(before + 4))
    check_whole(db, before + 4)


def test_a_second_ctrl_c_gives_up_model_calls_that_do_not_end(root: Path, tmp_path: Path) -> None:
    db = tmp_path / "run.db"
    with ModelServer([*[None] * 8, *[Fault("slow", 120.0)] * 40]) as server:
        process = begin(root, db, 40, "--model", "openai:tiny", "--base-url", server.url, "--set", "offline_share=0")
        assert process.stdout is not None
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            if "Ctrl-C again gives them up" in line:
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130, "threads that wait for an answer do not hold it up"
        assert f"to go on: python -m evolve resume --db {db}" in process.stderr.read()
    asked = rows("select count(*) as n from proposals where state = 'asked'", str(db))[0]["n"]
    assert asked > 0
    with ModelServer() as server:
        resume(root, db, "--evals", "5", "--base-url", server.url)
    lost = rows("select count(*) as n, sum(worst_tokens) as tokens from spend where kind = 'lost'", str(db))[0]
    assert lost["n"] == asked, "calls that were given up may have been charged"
    assert lost["tokens"] > 10_000 * asked


def test_kill_9_loses_nothing_and_leaves_nothing_running(root: Path, tmp_path: Path) -> None:
    db = tmp_path / "killed.db"
    process = begin(root, db, evals=40)
    process.kill()
    process.wait()
    finished = rows("select method, fitness from evaluations order by id", str(db))
    for _ in range(100):
        if not children_of(process.pid):
            break
        subprocess.run(["sleep", "0.1"], check=True)
    assert children_of(process.pid) == []
    done = rows("select count(*) as n from proposals where state = 'done'", str(db))[0]["n"]
    resume(root, db, "--evals", str(done + 4))
    check_whole(db, done + 4)
    assert rows("select method, fitness from evaluations order by id", str(db))[: len(finished)] == finished


def test_a_run_being_worked_on_is_not_resumed_by_another(root: Path, tmp_path: Path) -> None:
    db = tmp_path / "busy.db"
    process = begin(root, db, evals=40)
    try:
        second = subprocess.run(
            tiny.command("resume", "--db", str(db)), cwd=root, env=environment(), capture_output=True, text=True
        )
        assert (second.returncode, "another process is working on" in second.stderr) == (2, True)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_a_full_disk_stops_the_run_with_a_sentence_and_keeps_what_there_was(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    create = Archive.create.__func__  # type: ignore[attr-defined]

    def small(cls: type[Archive], path: Path) -> Archive:
        archive: Archive = create(cls, path)
        pages = archive.rows("pragma page_count")[0]["page_count"]
        archive.rows(f"pragma max_page_count = {int(str(pages)) + 40}")
        return archive

    with monkeypatch.context() as patched:
        patched.setattr(Archive, "create", classmethod(small))
        assert start(evals=60) == 2
    assert "the disk is full" in capsys.readouterr().err
    kept = rows("select count(*) as n from evaluations")[0]["n"]
    assert kept > 0
