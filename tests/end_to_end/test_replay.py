"""Replays of recorded runs: two models and offline operators, a second session, methods added by hand; no vault, no network."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from evolve.cli import run
from evolve.grids import grid_of
from evolve.islands.islands import Islands
from evolve.runs.comparison import PROMPTS
from evolve.search.ablations import AblationQueue
from evolve.search.feedback import Feedback
from evolve.search.recorder import Listeners
from evolve.search.restore import restore, source_of
from evolve.search.state import SearchState
from evolve.selection.selector import Selector
from evolve.text import short
from fitness.nouns import Finding, Split, Verdict
from fitness.tasks.directions import DIRECTIONS
from tests.end_to_end.test_end_to_end import rows, start
from tests.support import tiny
from tests.support.model_server import Fault, ModelServer
from tests.support.record import CANDIDATES, EARLIER, RECORDED, unpacked


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


FAULTS = [None, Fault("no_code"), Fault("unmatched"), None, Fault("refusal"), Fault("wrong_function"), None, Fault("empty")]
MODELS = ("--model", "openai:tiny", "--model", "openai:other")


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["replay", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def recorded(_module_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two models and the offline operators, three evaluations at once, with faults on the way."""
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch, ModelServer(FAULTS * 3) as server:
        tiny.register(patch)
        patch.setenv("EVOLVE_HOME", str(_module_home))
        patch.chdir(folder)
        settings = ("--base-url", server.url, "--set", "migrate_every=5", "--set", "reset_every=12", "--seed", "5")
        assert start(*MODELS, *settings, evals=40, workers=3) == 0
    return folder / "run.db"


def alone(root: Path, home: Path, db: Path) -> dict[str, Any]:
    """Replay an archive in a process without network, with another vault, and return what it found."""
    command = tiny.command("replay", "--db", str(db), "--json")
    environment = {**os.environ, "EVOLVE_HOME": str(home)}
    walled = ["unshare", "--user", "--map-root-user", "--net"]
    offline = subprocess.run([*walled, "true"], capture_output=True).returncode == 0  # else the machine has no user namespaces
    again = subprocess.run([*(walled if offline else []), *command], cwd=root, env=environment, capture_output=True, text=True)
    found = json.loads(again.stdout)
    assert (again.returncode, found["problem"], found["differences"]) == (0, "", [])
    assert found["steps"] == found["recorded"]
    assert not home.exists(), "a replay needs no vault"
    return dict(found)


def test_another_machine_gets_the_same_run_from_the_archive_alone(recorded: Path, root: Path, tmp_path: Path) -> None:
    found = alone(root, tmp_path / "another", recorded)
    assert found["calls"] >= 30


@pytest.mark.parametrize(("packed", "note"), [(RECORDED, ""), (EARLIER, PROMPTS)], ids=["this version's", "an earlier one's"])
def test_the_search_that_was_recorded_long_ago_is_still_the_same(packed: Path, note: str, root: Path, tmp_path: Path) -> None:
    db = unpacked(tmp_path, packed)
    found = alone(root, tmp_path / "another", db)
    assert found["note"] == note, "record it again when the words of a prompt change: python -m tests.support.record"
    assert rows("select count(*) as n from evaluations where proposal is not null", str(db))[0]["n"] == CANDIDATES
    assert {row["model"] for row in rows("select model from costs", str(db))} == {"openai:tiny", "anthropic:claude-tiny"}
    assert found["calls"] > CANDIDATES / 2
    assert {row["kind"] for row in rows("select distinct kind from events", str(db))} >= {"migration", "reset", "best"}


def test_the_search_that_was_recorded_tried_variants_and_took_its_record_apart(tmp_path: Path) -> None:
    db = str(unpacked(tmp_path))
    tried = rows("select distinct p.operator from experiments e join proposals p on p.id = e.proposal order by 1", db)
    assert [row["operator"] for row in tried] == ["ablate", "trial"]
    assert rows("select 1 from pairs where adds > 0", db)
    assert rows("select 1 from proposals where prompt like '%# What was tried%' and prompt like '%- PGR %'", db)


def test_the_recorded_run_has_what_makes_a_replay_hard(recorded: Path) -> None:
    db = str(recorded)
    assert {row["model"] for row in rows("select distinct model from proposals", db)} == {"", "openai:tiny", "openai:other"}
    assert {row["kind"] for row in rows("select distinct kind from events", db)} >= {"seed", "reset"}
    order = [row["proposal"] for row in rows("select proposal from journal where step = 'propose'", db)]
    assert order != sorted(order), "replies came in another order than they were asked for"


def test_a_duplicate_is_no_failure_to_mend_when_a_run_is_taken_up(tmp_path: Path) -> None:
    db = unpacked(tmp_path)
    asked = rows("select state from proposals", str(db))
    repeats = {row["id"] for row in rows("select id from proposals where reason like 'it is the same method%'", str(db))}
    archive = Archive.open(db)
    state, islands = SearchState(), Islands(3, grid_of(archive))
    told = Listeners(
        state,
        islands,
        Selector(islands, [], [], DIRECTIONS, 1.0),
        Feedback(state, partial(source_of, archive)),
        AblationQueue(state, lambda _: ()),
    )
    restore(archive, told)
    broken = set[int]()
    for number in range(1, 400):
        if child := told.feedback.broken(number):
            assert child.source == archive.proposals("id = ?", [number])[0].source
            broken.add(number)
    archive.close()
    assert (state.last_proposal, state.refusals) == (len(asked), sum(one["state"] == "refused" for one in asked))
    assert repeats
    assert broken
    assert not repeats & broken


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("update proposals set reply = replace(reply, 'IDEA', 'ideA') where reply like '%IDEA%'", "proposals"),
        ("update evaluations set fitness = fitness + 1e-9 where fitness is not null and proposal is not null", "evaluations"),
        (
            "update elites set cell = cell + 1 where island = 1 and cell = (select max(cell) from elites where island = 1)",
            "elites",
        ),
        ("delete from events where kind = 'reset'", "events"),
    ],
)
def test_a_run_that_is_not_what_it_says_is_found_out(
    recorded: Path, tmp_path: Path, change: str, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = tmp_path / "forged.db"
    shutil.copy(recorded, forged)
    with sqlite3.connect(forged) as db:
        db.execute(change)
    code, found = replayed(capsys, "--db", str(forged))
    assert code == 2
    assert table in {difference["table"] for difference in found["differences"]}


LAST = "(select max(id) from evaluations where split = 'dev')"


@pytest.mark.parametrize(
    "change",
    [
        f"delete from trials where evaluation = {LAST}",
        "delete from journal where step = 'session'",
        "update journal set step = 'take up', proposal = 987654 where id = 40",
        "update journal set step = 'judge' where id = 41",
        "update journal set method = 'nobody' where step = 'seed'",
        "update methods set origin = 'search'",
        "update journal set config = replace(config, '\"seed\":5', '\"seed\":6')",
    ],
)
def test_a_journal_that_cannot_be_followed_ends_with_a_sentence(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    forged = tmp_path / "forged.db"
    shutil.copy(recorded, forged)
    with sqlite3.connect(forged) as db:
        db.execute(change)
    capsys.readouterr()
    assert run(["replay", "--db", str(forged)]) == 2
    out, err = capsys.readouterr()
    assert "the replay stopped after" in out or err.startswith("evolve: ")


def test_a_run_with_a_method_added_by_hand_and_a_second_session_replays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start("--seed", "3", evals=6) == 0
    mine = tmp_path / "mine.py"
    mine.write_text("def method(problem):\n    return problem.student.fit(problem.train_x, problem.weak)(problem.test_x)\n")
    assert run(["seed", "add", str(mine), "--db", "run.db"]) == 0
    assert run(["resume", "--db", "run.db", "--evals", "+8"]) == 0
    code, found = replayed(capsys, "--db", "run.db", "--out", "again.db")
    assert (code, found["differences"], found["problem"]) == (0, [], "")
    assert len(rows("select 1 from journal where step = 'session'", "again.db")) == 2


def test_a_finalist_that_fresh_instances_flag_leaves_the_grid_in_a_replay_too(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = tmp_path / "flagged.db"
    shutil.copy(recorded, db)
    archive = Archive.open(db, write=True)
    judged = {str(row["method"]) for row in archive.evaluations(Split.FRESH)}
    method = next(elite.method for elite in archive.elites() if elite.method in judged)
    finding = Finding("frame", Verdict.FAILED, 0.5, 0.1, "it falls")
    with archive.transaction():
        archive.add_findings(method, archive.trials(method, Split.FRESH, "chat")[0], [finding])
        archive.journal("flagged", method=method)
        archive.event("flag", f"{short(method)} is kept out of the grid, flagged by frame: it falls", None, method)
    assert method not in {elite.method for elite in archive.elites()}
    archive.close()
    code, found = replayed(capsys, "--db", str(db))
    assert (code, found["differences"], found["problem"]) == (0, [], "")


def test_methods_can_be_judged_again_in_the_same_vault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--seed", "4", evals=5) == 0
    code, found = replayed(capsys, "--db", "run.db", "--rejudge")
    assert (code, found["differences"]) == (0, [])


@pytest.mark.parametrize("then", ["openai:tiny", "openai:other"])
def test_a_reply_that_arrived_before_a_kill_is_used_and_not_bought_again(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], then: str
) -> None:
    db = tmp_path / "run.db"
    with ModelServer() as server:
        model = ("--model", "openai:tiny", "--base-url", server.url, "--set", "offline_share=0")
        arguments = tiny.command("start", *tiny.SMALL, "--evals", "12", "--workers", "1", "--db", str(db), *model)
        process = subprocess.Popen([*arguments, "--json"], cwd=root, stdout=subprocess.PIPE, text=True)
        waiting = "select count(*) as n from proposals where state in ('proposed', 'judging') and reply != ''"
        assert process.stdout is not None
        for line in process.stdout:
            bred = json.loads(line).get("snapshot", {}).get("evaluations", 0)
            if bred and rows(waiting, str(db))[0]["n"] >= 2:
                break
        process.kill()
        process.wait()
        kept = rows("select proposal, turn, reply from spend where kind = 'model' order by id", str(db))
        assert run(["resume", "--db", str(db), "--base-url", server.url, "--model", then]) == 0
        served = [record for record in server.served if record.status == 200]
    now = rows("select proposal, turn, reply from spend where kind = 'model' order by id", str(db))
    assert now[: len(kept)] == kept
    assert len({(row["proposal"], row["turn"]) for row in now}) == len(now), "no turn of a proposal was bought twice"
    lost = rows("select count(*) as n from spend where kind = 'lost'", str(db))[0]["n"]
    assert len(now) <= len(served) <= len(now) + lost, "what the kill may have cost is entered as lost"
    states = {row["state"] for row in rows("select state from proposals", str(db))}
    assert states <= {"done", "refused", *(["unanswered"] if then == "openai:other" else [])}
    code, found = replayed(capsys, "--db", str(db))
    assert (code, found["differences"], found["problem"]) == (0, [], "")
