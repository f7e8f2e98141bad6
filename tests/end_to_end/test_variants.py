"""Runs whose operators try variants first: what is kept and counted, replays, and a run that is killed in the middle."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from evolve.cli import run
from tests.end_to_end.test_end_to_end import rows, start
from tests.end_to_end.test_replay import replayed
from tests.support import tiny
from tests.support.model_server import ModelServer

ONLY = ("--set", "offline_share=0", "--set", "experiments=4")


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


def number(sql: str, db: str = "run.db") -> int:
    return int(rows(f"select ({sql}) as n", db)[0]["n"] or 0)


def test_variants_are_kept_apart_from_methods_counted_and_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer() as server:
        assert start("--model", "openai:tiny", "--base-url", server.url, *ONLY, "--seed", "2", evals=24, workers=2) == 0
        told = [record.prompt for record in server.served if "# What came of your variants" in record.prompt]
    trials = number("select count(*) from proposals where operator = 'trial'")
    assert trials
    assert len(told) == trials, "each conversation had its second turn"
    kept = "select count(*) from experiments e join proposals p on p.id = e.proposal where p.operator = 'trial'"
    assert number(kept) == 2 * trials
    assert all(prompt.count("- PGR ") + prompt.count("not tried: ") >= 2 for prompt in told)
    cards = rows(f"select e.trials {kept.partition('(*) ')[2]} and e.status = 'OK'", "run.db")
    assert cards
    assert all(len(json.loads(row["trials"])) <= 2 for row in cards)
    seen = number("select count(*) from looks where who = 'openai:tiny' and why like 'the experiments of proposal%'")
    assert seen == len(cards), "every card that a model saw is in the ledger"
    strangers = "select count(*) from experiments e where e.method in (select id from methods) and not exists "
    assert number(f"{strangers} (select 1 from proposals p where p.method = e.method)") == 0
    assert number("select count(*) from evaluations where proposal is not null") == 24, "variants are no evaluations"
    code, found = replayed(capsys, "--db", "run.db")
    assert (code, found["differences"], found["problem"]) == (0, [], "")
    with sqlite3.connect("run.db") as db:
        db.execute("update experiments set source = source || '# more' where id = 1")
    code, found = replayed(capsys, "--db", "run.db")
    assert code == 2
    assert "not recorded" in found["problem"]


def test_experiments_keep_to_their_share() -> None:
    with ModelServer() as server:
        model = ("--model", "openai:tiny", "--base-url", server.url, "--set", "offline_share=0")
        assert start(*model, "--set", "experiments=0.1", "--set", "calls=1", "--seed", "2", evals=30, workers=1) == 0
    last = "(select max(proposal) from experiments)"
    spent = number(f"select sum(json_array_length(trials)) from experiments where proposal < {last}")
    begun = number(f"select sum(trials) from evaluations where split = 'dev' and proposal < {last}")
    assert number("select count(*) from experiments") > 0
    assert spent <= 0.1 * begun, "none begins where the share is used up"


def goes_on_after_a_kill(server: ModelServer, folders: tuple[Path, Path], operator: str, evals: int, *settings: str) -> str:
    """Kill a run, which runs in the first folder, while an operator tries variants, resume it, and return its archive."""
    root, folder = folders
    db = str(folder / "run.db")
    model = ("--model", "openai:tiny", "--base-url", server.url, *ONLY, *settings)
    arguments = tiny.command("start", *tiny.SMALL, "--evals", str(evals), "--workers", "1", "--db", db, *model)
    process = subprocess.Popen([*arguments, "--json"], cwd=root, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    tried = f"select count(*) from experiments e join proposals p on p.id = e.proposal where p.operator like '{operator}'"
    for line in process.stdout:
        if "snapshot" in line and number(f"{tried} and p.state = 'asked'", db):
            break
    process.kill()
    process.wait()
    kept = rows("select proposal, label, source from experiments order by id", db)
    assert run(["resume", "--db", db, "--base-url", server.url, "--model", "openai:tiny"]) == 0
    now = rows("select proposal, label, source from experiments order by id", db)
    assert now[: len(kept)] == kept
    assert len({tuple(row.values()) for row in now}) == len(now), "no variant of a proposal was tried twice"
    return db


def test_a_run_that_is_killed_between_the_turns_goes_on_with_what_was_tried(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer() as server:
        db = goes_on_after_a_kill(server, (root, tmp_path), "%", 14)
    code, found = replayed(capsys, "--db", db)
    assert (code, found["differences"], found["problem"]) == (0, [], "")
