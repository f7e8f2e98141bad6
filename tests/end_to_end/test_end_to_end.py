"""Whole runs through the command line: the real sandbox, vault, operators and archive, on a tiny version of the task."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from evolve import operators
from evolve.cli import run
from fitness.judge import Judge
from fitness.nouns import Finding, Method, Split, Trial, Verdict
from tests.support import tiny
from tests.support.model_server import Fault, ModelServer, Served

TALKING = {name for name in operators.TABLE if operators.load(name).needs_model}
HISTORY = """
select p.id, p.island, p.operator, p.direction, p.parents, p.state, p.reason, p.method, p.placement, e.status, e.fitness, e.pgr
from proposals p left join evaluations e on e.proposal = p.id order by p.id
"""


def start(*arguments: str, evals: int = 8, workers: int = 2, db: str = "run.db") -> int:
    return run(["start", *tiny.SMALL, "--evals", str(evals), "--workers", str(workers), "--db", db, *arguments])


def rows(sql: str, db: str = "run.db") -> list[dict[str, Any]]:
    archive = Archive.open(Path(db))
    try:
        return [dict(row) for row in archive.rows(sql)]
    finally:
        archive.close()


@contextlib.contextmanager
def searched(home: Path, folder: Path) -> Iterator[io.StringIO]:
    """Let runs on the tiny task be started in a folder; what they print is kept."""
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
        tiny.register(patch)
        patch.setenv("EVOLVE_HOME", str(home))
        patch.chdir(folder)
        yield out


@pytest.fixture(scope="module")
def finished(_module_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A finished run's folder, and what the run printed."""
    folder = tmp_path_factory.mktemp("finished")
    with searched(_module_home, folder) as out:
        assert start("--seed", "8", "--set", "finalists=3", evals=12) == 0
    return folder, " ".join(out.getvalue().split())


@pytest.fixture(scope="module")
def modelled(_module_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Served]]:
    """The folder of a run whose children a model behind HTTP wrote, and what the server saw."""
    folder = tmp_path_factory.mktemp("modelled")
    with searched(_module_home, folder), ModelServer() as server:
        assert start("--model", "openai:tiny", "--base-url", server.url, "--set", "offline_share=0", evals=30) == 0
    return folder, server.served


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, finished: tuple[Path, str], tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def test_a_run_ends_with_the_table_the_report_and_the_champion(
    finished: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = finished
    for word in ("chat", "math", "code", "digits", "human best", "fresh", "the engine itself used", "run.html", "run-best.py"):
        assert word in out
    assert re.search(r"(not )?shown: \w+ (beats|against) the human best", out)
    assert rows("select count(*) as n from evaluations where split = 'dev' and proposal is not null")[0]["n"] == 12
    champion = rows("select champion, verdict, state from runs")[0]
    assert champion["state"] == "finished"
    assert champion["verdict"] in out
    assert run(["judge", "run-best.py", "--task", "tiny", "--instances", "2", "--json"]) == 0
    judged = json.loads(capsys.readouterr().out)
    assert (judged["status"], judged["method"]) == ("OK", champion["champion"])


def test_a_run_whose_finalists_are_all_flagged_has_finished_without_a_champion(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    examine, flag = Judge.examine, Finding("frame", Verdict.FAILED, 0.5, 0.1, "PGR 0.50, and 0.10 with components turned round")

    def suspicious(judge: Judge, method: Method, trial: Trial, *how: Any) -> tuple[Finding, ...]:
        return (flag,) if trial.split is Split.FRESH else examine(judge, method, trial, *how)

    with monkeypatch.context() as patch:
        patch.setattr(Judge, "examine", suspicious)
        assert start(db="flagged.db") == 0
    out = capsys.readouterr().out
    assert "no champion" in out
    assert "stopped" not in out
    assert rows("select state, champion from runs", "flagged.db") == [{"state": "finished", "champion": ""}]
    assert "There is no champion" in Path("flagged.html").read_text("utf-8")
    assert run(["resume", "--db", "flagged.db"]) == 0, "the next fittest are judged, which nothing flags"
    assert "8 of 8 evaluations are done, the whole budget; to breed more: --evals +100" in capsys.readouterr().out
    assert rows("select state from runs where champion != ''", "flagged.db") == [{"state": "finished"}]


def test_a_run_says_where_methods_run_and_keeps_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--device", "auto", evals=1, db="auto.db") == 0
    out = capsys.readouterr().out
    device = json.loads(rows("select config from runs", "auto.db")[0]["config"])["device"]
    assert ("methods run on the CPU: " in out) == ("start --device cuda" in out) == (device == "cpu")


def test_the_same_seed_and_vault_give_the_same_run() -> None:
    for db in ("a.db", "b.db"):
        assert start("--seed", "7", workers=1, db=db) == 0
    assert rows(HISTORY, "a.db") == rows(HISTORY, "b.db")
    assert rows("select method, fitness from elites", "a.db") == rows("select method, fitness from elites", "b.db")
    assert rows(HISTORY, "a.db") != rows(HISTORY)[: len(rows(HISTORY, "a.db"))]


def test_two_workers_lose_nothing_and_judge_nothing_twice() -> None:
    dev = rows("select method, count(*) as n from evaluations where split = 'dev' group by method")
    assert all(row["n"] == 1 for row in dev)
    done = rows("select count(*) as n from proposals where state = 'done'")[0]["n"]
    assert done == 12 == rows("select count(*) as n from evaluations where proposal is not null")[0]["n"]
    assert {row["state"] for row in rows("select distinct state from proposals")} <= {"done", "refused"}


def test_held_out_scores_come_after_selection_and_touch_nothing() -> None:
    last = rows("select max(rowid) as last from evaluations where split = 'dev'")[0]["last"]
    held = rows("select rowid as id, split, domain from evaluations where domain != 'chat'")
    assert held
    assert all(row["id"] > last and row["split"] == "fresh" for row in held)
    for split in ("dev", "fresh"):
        looked = {row["method"] for row in rows(f"select method from looks where split = '{split}'")}
        assert looked == {
            row["method"] for row in rows(f"select method from evaluations where split = '{split}' and pgr is not null")
        }
    assert {row["domain"] for row in rows("select domain from looks where split = 'dev'")} == {"chat"}


def test_children_carry_directions_and_novelty() -> None:
    proposals = rows("select direction, novelty from proposals")
    assert len({p["direction"] for p in proposals}) >= 3
    assert all(0 <= p["novelty"] <= 1 for p in proposals)


def test_another_vault_cannot_resume(root: Path, tmp_path: Path) -> None:
    other = subprocess.run(
        tiny.command("resume", "--db", str(tmp_path / "run.db"), "--evals", "+2"),
        cwd=root, env={**os.environ, "EVOLVE_HOME": str(tmp_path / "other")}, capture_output=True, text=True,
    )  # fmt: skip
    assert other.returncode == 2
    assert "set EVOLVE_HOME to the folder it was started with" in other.stderr


def test_your_own_seed_can_be_judged_and_added(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_a_model_behind_http_writes_children_and_everything_it_said_is_kept(modelled: tuple[Path, list[Served]]) -> None:
    folder, seen = modelled
    db = str(folder / "run.db")
    served = [record for record in seen if record.status == 200]
    proposals = rows("select p.*, m.source as kept from proposals p left join methods m on m.id = p.method", db)
    assert len([p for p in proposals if p["state"] == "done" and p["method"]]) == 30
    assert {"rewrite", "diff", "cross", "explain"} <= {p["operator"] for p in proposals} <= {*TALKING, "ablate"}
    ids = {row["id"] for row in rows("select id from methods", db)}
    for proposal in (p for p in proposals if p["operator"] in TALKING):
        assert proposal["model"] == "openai:tiny"
        assert proposal["prompt"] or proposal["reason"].startswith("there is no"), "nothing is asked in vain"
        assert bool(proposal["prompt"]) == bool(proposal["reply"])
        assert set(json.loads(proposal["parents"])) <= ids
        if proposal["state"] == "done" and proposal["operator"] != "vary":
            assert proposal["kept"] == proposal["source"]
    assert rows("select system from runs", db)[0]["system"] == seen[0].system
    cost = rows("select * from costs", db)[0]
    assert cost["calls"] == len(served)
    assert cost["tokens_in"] == sum(record.tokens_in for record in served)
    assert cost["tokens_out"] == sum(record.tokens_out for record in served)
    assert cost["usd"] is None, "a local server has no known price, and unknown is not 0"


def test_a_prompt_holds_coarse_scores_and_no_held_out_domain(modelled: tuple[Path, list[Served]]) -> None:
    folder, seen = modelled
    prompts = [record.system + record.prompt for record in seen]
    db = str(folder / "run.db")
    exact = rows("select pgr, transfer_acc from trials union all select pgr, fitness from evaluations", db)
    tried = "select source from experiments"
    every = f"select source from methods union select source from proposals where source is not null union {tried}"
    written = " ".join(row["source"] for row in rows(every, db))  # a constant of a method is no score
    numbers = {f"{value:.3f}" for row in exact for value in row.values() if value is not None and abs(value * 20 % 1) > 1e-6}
    numbers = {number for number in numbers if number not in written}
    assert len(numbers) > 20
    for prompt in prompts:
        assert not [n for n in numbers if re.search(rf"(?<![\d.]){re.escape(n)}", prompt)]
        assert not re.search(r"held.out|\bdigits domain\b|sealed|EVOLVE_HOME", prompt)


def test_a_model_that_never_answers_ends_the_run_with_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer(faults=[Fault("unauthorized")] * 100) as server:
        assert (
            start("--model", "openai:tiny", "--base-url", server.url, "--set", "offline_share=0", evals=4, db="refused.db") == 2
        )
    err = capsys.readouterr().err
    assert "resume --db refused.db" in err
    assert rows("select state from runs", "refused.db") == [{"state": "interrupted"}]
