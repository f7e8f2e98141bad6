"""Whole runs through the command line: the real sandbox, vault, operators and archive, on a tiny version of the task."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from evolve.cli import run
from tests import tiny
from tests.model_server import Fault, ModelServer

HISTORY = """
select p.id, p.island, p.operator, p.direction, p.parents, p.state, p.reason, p.method, p.placement, e.status, e.fitness, e.pgr
from proposals p left join evaluations e on e.proposal = p.id order by p.id
"""


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from fitness import tasks

    monkeypatch.setitem(tasks.TASKS, "tiny", "tests.tiny:TASK")
    monkeypatch.chdir(tmp_path)


def start(*arguments: str, evals: int = 8, workers: int = 2, db: str = "run.db") -> int:
    return run(["start", *tiny.SMALL, "--evals", str(evals), "--workers", str(workers), "--db", db, *arguments])


def rows(sql: str, db: str = "run.db") -> list[dict[str, Any]]:
    archive = Archive.open(Path(db))
    try:
        return [dict(row) for row in archive.rows(sql)]
    finally:
        archive.close()


def command(root: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.tiny", *arguments]


def test_a_run_ends_with_the_table_the_report_and_the_champion(capsys: pytest.CaptureFixture[str]) -> None:
    assert start() == 0
    out = " ".join(capsys.readouterr().out.split())
    for word in ("chat", "math", "code", "digits", "human best", "fresh", "engine's own share", "run.html", "run-best.py"):
        assert word in out
    assert re.search(r"(not )?shown: \w+ (beats|against) the human best", out)
    assert rows("select count(*) as n from evaluations where split = 'dev' and proposal is not null")[0]["n"] == 8
    champion = rows("select champion, verdict, state from runs")[0]
    assert champion["state"] == "finished"
    assert champion["verdict"] in out
    assert run(["judge", "run-best.py", "--task", "tiny", "--instances", "2", "--json"]) == 0
    judged = json.loads(capsys.readouterr().out)
    assert (judged["status"], judged["method"]) == ("OK", champion["champion"])


def test_the_same_seed_and_vault_give_the_same_run() -> None:
    for db in ("a.db", "b.db"):
        assert start("--seed", "7", workers=1, db=db) == 0
    assert rows(HISTORY, "a.db") == rows(HISTORY, "b.db")
    assert rows("select method, fitness from elites", "a.db") == rows("select method, fitness from elites", "b.db")
    assert start("--seed", "8", workers=1, db="c.db") == 0
    assert rows(HISTORY, "a.db") != rows(HISTORY, "c.db")


def test_two_workers_lose_nothing_and_judge_nothing_twice() -> None:
    assert start(evals=12) == 0
    dev = rows("select method, count(*) as n from evaluations where split = 'dev' group by method")
    assert all(row["n"] == 1 for row in dev)
    done = rows("select count(*) as n from proposals where state = 'done'")[0]["n"]
    assert done == 12 == rows("select count(*) as n from evaluations where proposal is not null")[0]["n"]
    assert {row["state"] for row in rows("select distinct state from proposals")} <= {"done", "refused"}


def test_held_out_scores_come_after_selection_and_touch_nothing() -> None:
    assert start() == 0
    last = rows("select max(rowid) as last from evaluations where split = 'dev'")[0]["last"]
    held = rows("select rowid as id, split, domain from evaluations where domain != 'chat'")
    assert held
    assert all(row["id"] > last and row["split"] == "fresh" for row in held)
    for split in ("dev", "fresh"):
        looked = {row["method"] for row in rows(f"select method from looks where split = '{split}'")}
        assert looked == {
            row["method"] for row in rows(f"select method from evaluations where split = '{split}' and pgr is not null")
        }
    assert {row["domain"] for row in rows("select domain from looks where answer is not null")} == {"chat"}


def test_children_carry_directions_and_novelty() -> None:
    assert start(evals=12) == 0
    proposals = rows("select direction, novelty from proposals")
    assert len({p["direction"] for p in proposals}) >= 3
    assert all(0 <= p["novelty"] <= 1 for p in proposals)


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


def begin(root: Path, db: Path, evals: int) -> subprocess.Popen[str]:
    """Start a run in a process of its own and wait until it breeds."""
    arguments = command(root, "start", *tiny.SMALL, "--evals", str(evals), "--db", str(db), "--json")
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
        command(root, "resume", "--db", str(db), *more), cwd=root, env=environment(), capture_output=True, text=True
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
            command(root, "resume", "--db", str(db)), cwd=root, env=environment(), capture_output=True, text=True
        )
        assert (second.returncode, "another process is working on" in second.stderr) == (2, True)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_another_vault_cannot_resume(root: Path, tmp_path: Path) -> None:
    assert start(evals=2, db=str(tmp_path / "run.db")) == 0
    other = subprocess.run(
        command(root, "resume", "--db", str(tmp_path / "run.db"), "--evals", "+2"),
        cwd=root, env=environment(EVOLVE_HOME=str(tmp_path / "other")), capture_output=True, text=True,
    )  # fmt: skip
    assert other.returncode == 2
    assert "set EVOLVE_HOME to the folder it was started with" in other.stderr


def test_your_own_seed_can_be_judged_and_added(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(evals=2) == 0
    mine = tmp_path / "mine.py"
    mine.write_text(
        "import torch\n\n\ndef method(problem):\n"
        "    return problem.student.fit(problem.train_x, problem.weak)(problem.test_x)\n"
    )
    capsys.readouterr()
    assert run(["seed", "add", str(mine), "--db", "run.db", "--json"]) == 0
    added = json.loads(capsys.readouterr().out)[0]
    assert added["status"] == "OK"
    row = rows(f"select name, origin from methods where id = '{added['method']}'")
    assert row == [{"name": "mine", "origin": "added"}]
    assert run(["seed", "add", str(mine), "--db", "run.db"]) == 2
    assert "same method" in capsys.readouterr().err
    mine.write_text("def method(problem):\n    return None\n")
    assert run(["seed", "add", str(mine), "--db", "run.db"]) == 2
    assert "INVALID" in capsys.readouterr().out


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


def test_a_model_behind_http_writes_children_and_everything_it_said_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer() as server:
        assert start("--model", "openai:tiny", "--base-url", server.url, "--set", "offline_share=0", evals=30) == 0
        served = [record for record in server.served if record.status == 200]
    proposals = rows("select p.*, m.source as kept from proposals p left join methods m on m.id = p.method")
    assert len([p for p in proposals if p["state"] == "done"]) == 30
    assert {p["operator"] for p in proposals} == {"rewrite", "diff"}
    ids = {row["id"] for row in rows("select id from methods")}
    for proposal in proposals:
        assert proposal["model"] == "openai:tiny"
        assert proposal["prompt"]
        assert proposal["reply"]
        assert set(json.loads(proposal["parents"])) <= ids
        if proposal["state"] == "done":
            assert proposal["kept"] == proposal["source"]
    assert rows("select system from runs")[0]["system"] == server.served[0].system
    cost = rows("select * from costs")[0]
    assert cost["calls"] == len(served)
    assert cost["tokens_in"] == sum(record.tokens_in for record in served)
    assert cost["tokens_out"] == sum(record.tokens_out for record in served)
    assert cost["usd"] is None, "a local server has no known price, and unknown is not 0"


def test_a_prompt_holds_coarse_scores_and_no_held_out_domain() -> None:
    with ModelServer() as server:
        assert start("--model", "openai:tiny", "--base-url", server.url, "--set", "offline_share=0", evals=4) == 0
        prompts = [record.system + record.prompt for record in server.served]
    exact = rows("select pgr, transfer_acc from trials union all select pgr, fitness from evaluations")
    numbers = {f"{value:.3f}" for row in exact for value in row.values() if value is not None and abs(value * 20 % 1) > 1e-6}
    for prompt in prompts:
        assert not [n for n in numbers if re.search(rf"(?<![\d.]){re.escape(n)}", prompt)]
        assert not re.search(r"held.out|\bdigits domain\b|sealed|EVOLVE_HOME", prompt)


def test_a_model_that_never_answers_ends_the_run_with_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer(faults=[Fault("unauthorized")] * 100) as server:
        assert start("--model", "openai:tiny", "--base-url", server.url, "--set", "offline_share=0", evals=4) == 2
    err = capsys.readouterr().err
    assert "resume --db run.db" in err
    assert rows("select state from runs") == [{"state": "interrupted"}]
