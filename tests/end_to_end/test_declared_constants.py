"""Runs whose model declares tunable constants: what is tuned, that it adds up, replays, and goes on after a kill."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archives.archive import Archive
from evolve.operators.offline.fit import EACH, OWN, ROUNDS
from evolve.search.pipeline import LivePipeline
from tests.end_to_end.test_end_to_end import rows, start
from tests.end_to_end.test_replay import replayed
from tests.end_to_end.test_variants import ONLY, goes_on_after_a_kill, number
from tests.support import model_server, tiny
from tests.support.model_server import ModelServer

NUMBER = re.compile(r"^([A-Z_]+ = )(\d[\d.e-]*)(?:  # tune.*)?$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Register the tiny task, and have the model declare the constants of every file that it writes."""
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)
    plain = model_server.answer

    def declaring(*asked: object) -> str:
        text = plain(*asked)  # type: ignore[arg-type]
        return text if "<<<<<<<" in text else NUMBER.sub(_declared, text)

    monkeypatch.setattr(model_server, "answer", declaring)


def _declared(found: re.Match[str]) -> str:
    value = float(found[2])
    ends = (f"{value / 4:.6g}", f"{value * 4:.6g}") if "." in found[2] or "e" in found[2] else (1, 4 * int(found[2]) + 1)
    return f"{found[1]}{found[2]}  # tune: {ends[0]} to {ends[1]}"


def test_promising_children_are_tuned_at_once_and_once_and_it_adds_up_and_replays(capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer() as server:
        model = ("--model", "openai:tiny", "--base-url", server.url, *ONLY, "--set", "tuning=always")
        assert start(*model, "--seed", "3", evals=20, workers=1) == 0
        assert all("# Constants\n" in record.system for record in server.served)
    tunings = rows("select id, parents, source, reason, idea, model, island from proposals where operator = 'fit' order by id")
    assert tunings
    subjects = [row["parents"] for row in tunings]
    assert len(subjects) == len({*subjects}), "each child at most once"
    assert all(row["model"] == "" for row in tunings)
    for row in tunings:
        tried = rows(f"select label, subject from experiments where proposal = {row['id']} order by id")
        assert len(tried) <= ROUNDS * EACH
        assert not tried or tried[0]["label"] == OWN
        assert row["source"] or row["reason"]
    made = [row for row in tunings if row["source"]]
    assert made
    assert all("declared constants tuned: " in row["idea"] for row in made)
    writers = "select count(*) from proposals where operator = 'fit' and json_extract(parents, '$[0]') not in "
    assert number(f"{writers} (select method from proposals where model != '' and method is not null)") == 0
    archive = Archive.open(Path("run.db"))
    assert archive.tried() == number("select sum(json_array_length(trials)) from experiments")
    archive.close()
    code, found = replayed(capsys, "--db", "run.db")
    assert (code, found["differences"], found["problem"]) == (0, [], "")


def test_whether_to_tune_follows_the_clock_and_the_replay_follows_the_journal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(LivePipeline, "outlasts", property(lambda live: 2.0 if max(live.in_flight, default=0) >= 8 else 0.5))
    with ModelServer() as server:
        assert start("--model", "openai:tiny", "--base-url", server.url, *ONLY, "--seed", "3", evals=20, workers=2) == 0
    turns = [row["config"] for row in rows("select config from journal where step = 'tune' order by id")]
    assert turns[0] == "true"
    assert number("select min(id) from proposals where operator = 'fit'") > 8
    monkeypatch.setattr(LivePipeline, "outlasts", property(lambda _: 1 / 0))
    code, found = replayed(capsys, "--db", "run.db")
    assert (code, found["differences"], found["problem"]) == (0, [], "")


@pytest.mark.parametrize("settings", [("tuning=never",), ("experiments=0", "tuning=always")])
def test_where_tuning_is_off_nothing_is_tuned_and_models_are_not_told_of_it(settings: tuple[str, ...]) -> None:
    off = [word for setting in ("offline_share=0", *settings) for word in ("--set", setting)]
    with ModelServer() as server:
        assert start("--model", "openai:tiny", "--base-url", server.url, *off, "--seed", "3", evals=8, workers=1) == 0
        assert not any("# tune:" in record.system for record in server.served)
    assert number("select count(*) from proposals where operator = 'fit'") == 0


def test_a_run_that_is_killed_in_the_middle_of_a_tuning_goes_on_with_what_was_tried(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer() as server:
        db = goes_on_after_a_kill(server, (root, tmp_path), "fit", 12, "--set", "tuning=always", "--seed", "3")
    code, found = replayed(capsys, "--db", db)
    assert (code, found["differences"], found["problem"]) == (0, [], "")
