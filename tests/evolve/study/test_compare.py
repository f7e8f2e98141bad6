"""`compare` from end to end, with real searches on the tiny task."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from evolve.cli import run
from evolve.config import Config
from evolve.errors import UsageError
from evolve.models import isolation
from evolve.runs.process import only_writer
from evolve.study import runner
from evolve.study.plan import Plan
from evolve.study.runner import SearchFailed
from tests.support import tiny
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.thorough

STUDY = [*tiny.STUDY, "--evals", "4", "--jobs", "2"]


def compared(folder: Path, *more: str) -> dict[str, Any]:
    command = tiny.command(*STUDY, "--out", str(folder), "--json", *more)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def without_clock(study: dict[str, Any]) -> dict[str, Any]:
    for one in (*study["strategies"], *study["searches"]):
        del one["seconds"]
        one.pop("path", None)
    return study | {"folder": ""}


def wait_for_writers(folder: Path) -> None:
    """Wait until no search of a study is going on."""
    for path in folder.glob("*-*.db"):
        for _ in range(300):
            with contextlib.suppress(UsageError), only_writer(path):
                break
            time.sleep(0.1)
        else:
            pytest.fail(f"{path} is still worked on")


def elites(path: Path) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute("select * from (select island, cell, method, fitness from elites) order by 1, 2").fetchall()


@pytest.fixture(scope="module")
def study(_module_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("study") / "one"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVOLVE_HOME", str(_module_home))
        return folder, compared(folder, "--strategies", "map-elites,iid", "--repeats", "2")


def test_every_search_has_the_same_budget_and_answers_with_one_method(study: tuple[Path, dict[str, Any]]) -> None:
    _, found = study
    assert found["trials"] == 12
    assert len(found["searches"]) == 4
    for one in found["searches"]:
        assert 12 <= one["trials"] < 12 + 3
        assert len(one["fresh"]) == 3
        assert one["curve"][0][0] == 0, "the seeds are there before the first trial"
    names = {line["strategy"] for line in found["strategies"]}
    assert names == {"map-elites", "iid"}
    assert {"fresh_pgr", "fresh_low", "fresh_high", "auc", "qd_score", "usd"} <= found["strategies"][0].keys()


def test_all_searches_share_the_judged_seeds(study: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = study
    scores = set()
    for path in sorted(folder.glob("*.db")):
        with contextlib.closing(Archive.open(path)) as archive:
            rows = archive.rows(
                "select e.method, e.split, e.pgr from evaluations e join methods m on m.id = e.method where origin = 'seed' "
                "order by 1, 2"
            )
            scores.add(json.dumps([dict(row) for row in rows]))
    assert len(scores) == 1
    assert {row["split"] for row in rows} == {"dev", "fresh"}


def test_the_same_command_gives_the_same_table(study: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, found = study
    again = compared(tmp_path / "two", "--strategies", "map-elites,iid", "--repeats", "2")
    assert without_clock(json.loads(json.dumps(again))) == without_clock(json.loads(json.dumps(found)))
    assert without_clock(compared(folder, "--strategies", "map-elites,iid", "--repeats", "2")) == without_clock(again)


def test_a_search_of_a_study_is_a_run_like_any_other(
    study: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.register(monkeypatch)
    folder, _ = study
    for verb in (["replay"], ["archive", "check"], ["status"], ["top"]):
        assert run([*verb, "--db", str(folder / "map-elites-0.db")]) == 0


def test_a_study_with_a_model_is_the_same_from_what_the_model_said(tmp_path: Path) -> None:
    asked = ["--strategies", "map-elites,tune", "--repeats", "1", "--set", "offline_share=0.2"]
    with ModelServer() as server:
        live = compared(tmp_path / "live", *asked, "--model", "openai:tiny", "--base-url", server.url)
        questions = len(server.requests)
        (tmp_path / "replies").mkdir()
        for path in (tmp_path / "live").glob("*.db"):
            shutil.copy(path, tmp_path / "replies")
        again = compared(tmp_path / "again", *asked, "--model", f"replay:{tmp_path / 'replies'}")
        assert len(server.requests) == questions >= 3
        shutil.rmtree(tmp_path / "replies")
        assert compared(tmp_path / "again", *asked, "--model", f"replay:{tmp_path / 'replies'}") == again, "nobody is asked"
    assert {one["strategy"]: one["usd"] for one in live["searches"]} == {"map-elites": None, "tune": 0.0}
    for one in (*live["strategies"], *live["searches"], *again["strategies"], *again["searches"]):
        del one["usd"]
    assert without_clock(again) == without_clock(live)


def test_a_program_that_the_user_named_is_asked_and_sees_no_other_search(tmp_path: Path) -> None:
    program, study = tmp_path / "model", tmp_path / "study"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\necho nothing of use\ncat {study}/plan.json\nexit 0\n", "utf-8")
    program.chmod(0o755)
    asked = ["--strategies", "iid", "--repeats", "1", "--set", "offline_share=0.5", "--model", f"command:{program}"]
    compared(study, *asked, "--trust-methods")
    with contextlib.closing(Archive.open(study / "iid-0.db")) as archive:
        replies = {str(row["reply"]) for row in archive.rows("select reply from proposals where reply != ''")}
        assert replies
        assert all(reply.startswith("nothing of use") for reply in replies)
        assert any("dev_instances" in reply for reply in replies) == bool(isolation.danger(f"command:{program}"))
        assert json.loads(archive.run().config)["trust_methods"] is True


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_study_that_was_stopped_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "stopped"
    command = tiny.command(*STUDY, "--out", str(folder), "--strategies", "map-elites,hillclimb", "--repeats", "1")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (folder / "map-elites-0.db").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    time.sleep(1.0)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.kill()
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert ("the same command goes on" in errors) == (number == signal.SIGINT)
    wait_for_writers(folder)
    found = compared(folder, "--strategies", "map-elites,hillclimb", "--repeats", "1")
    whole = compared(tmp_path / "whole", "--strategies", "map-elites,hillclimb", "--repeats", "1")
    assert without_clock(found) == without_clock(whole)
    assert elites(folder / "map-elites-0.db") == elites(tmp_path / "whole" / "map-elites-0.db")


@pytest.mark.slow
def test_a_baseline_that_is_held_out_takes_no_part(tmp_path: Path) -> None:
    folder = tmp_path / "held"
    found = compared(folder, "--strategies", "hillclimb", "--repeats", "1", "--hold-out", "lda")
    (one,) = found["rediscovery"]
    assert one["strategy"] == "hillclimb"
    assert 0 < one["distance"] <= 1
    assert one["better"] == (one["fresh"] >= one["baseline"])
    assert one["found"] == (one["distance"] < one["usual"])
    with contextlib.closing(Archive.open(folder / "hillclimb-0.db")) as archive:
        assert "lda" not in {method.name for method in archive.methods("origin = 'seed'")}
        assert archive.rows("pragma foreign_key_check") == []


def test_a_search_that_cannot_write_says_so_in_a_sentence(tmp_path: Path) -> None:
    plan = Plan(tmp_path, ("iid",), 1, 10, Config())
    (contestant,) = plan.contestants()
    contestant.path.touch()
    contestant.path.with_suffix(".log").mkdir()  # where its output should go
    told = list[str]()
    with pytest.raises(SearchFailed, match=r"iid-0\.log: Is a directory; the same command again goes on"):
        runner.run(plan, [contestant], 1, lambda _, problem: told.append(problem))
    (problem,) = told
    assert problem.endswith("iid-0.log: Is a directory")


def test_a_folder_with_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = Plan(tmp_path / "one", ("iid",), 1, 10, Config())
    one.settle()
    one.settle()
    Plan(tmp_path / "one", ("iid", "random"), 5, 10, Config()).settle()  # more of the same
    with pytest.raises(UsageError, match="other evals"):
        Plan(tmp_path / "one", ("iid",), 1, 11, Config()).settle()
    with pytest.raises(UsageError, match="other novelty"):
        Plan(tmp_path / "one", ("iid",), 1, 10, Config(novelty=0.0)).settle()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(UsageError, match="holds no study"):
        Plan(tmp_path / "full", ("iid",), 1, 10, Config()).settle()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "plan.json").write_text("[]")
    with pytest.raises(UsageError, match="no plan"):
        Plan(tmp_path / "broken", ("iid",), 1, 10, Config()).settle()
    assert run(["compare", "--strategies", "map-elites,annealing"]) == 2
    assert "annealing" in capsys.readouterr().err


def test_a_baseline_that_is_not_there_is_refused_before_anything_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--hold-out", "../ldb", "--dry-run"]) == 2
    said = capsys.readouterr()
    assert "no human baseline named '../ldb'" in said.err
    assert "lda" in said.err
    assert not said.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--domain nosuch", "is not a search domain of embedded: choose among chat"),
        ("--set workers=4", "--set workers has no place here, compare sets it itself"),
        ("--set evals=4", "compare sets it itself: say --evals N"),
        ("--strategies iid,best", "unknown strategy 'best': the strategies are map-elites"),
        ("--model openai:tiny --base-url http://127.0.0.1:9/v1 --usd 5", "the price of openai:tiny is unknown"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_written(
    words: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in ([], ["--dry-run"]):
        assert run(["compare", *words.split(), "--out", str(tmp_path / "study"), *more]) != 0
        said = capsys.readouterr()
        assert sentence in said.err
        assert said.out == ""
    assert not list(tmp_path.iterdir())


def test_a_dry_run_says_how_much_work_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = ["--strategies", "iid,tune", "--evals", "30", "--jobs", "1", "--out", str(tmp_path / "study")]
    words = ["compare", *study, "--dry-run"]
    assert run([*words, "--repeats", "4"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("8 searches of 300 trials each, 1 at once, in ")
    assert "money: nothing: no model is asked" in said
    paid = ["--model", "openai:tiny", "--base-url", "http://127.0.0.1:9/v1", "--usd", "5"]
    assert run([*words, "--repeats", "4", *paid, "--set", "prices={'openai:tiny'={input=1.0,output=2.0}}"]) == 0
    assert capsys.readouterr().out.endswith("that is for one search; for all 8: $40.00 at most\n")
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == 300
    assert not list(tmp_path.iterdir())
