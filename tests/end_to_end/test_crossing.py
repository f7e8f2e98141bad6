"""Runs that cross methods by what they would add: their replays, resumes, and how little is told of the rows behind it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolve.cli import run
from tests.end_to_end.test_end_to_end import rows, searched, start
from tests.end_to_end.test_replay import replayed
from tests.support import tiny
from tests.support.model_server import ModelServer, Served

MODEL = ("--model", "openai:tiny", "--set", "offline_share=0.5")


@pytest.fixture(scope="module")
def crossed(_module_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Served]]:
    """The folder of a run of a model and of the offline operators, and what the model was sent."""
    folder = tmp_path_factory.mktemp("crossed")
    with searched(_module_home, folder), ModelServer() as server:
        assert start(*MODEL, "--base-url", server.url, "--seed", "2", evals=24) == 0
    return folder, server.served


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, crossed: tuple[Path, list[Served]], tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    shutil.copytree(crossed[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def marks(home: Path) -> Iterator[str]:
    """Yield every row of bits that is kept of any method."""
    for path in (home / "vault" / "rows").rglob("*"):
        if path.is_file():
            for found in json.loads(path.read_bytes().partition(b"\n")[2]).values():
                yield from found


def test_every_number_that_a_crossing_was_chosen_by_is_recorded_and_the_replay_chooses_by_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = rows("select one, other, adds from pairs")
    mated = rows("select parents from proposals where operator = 'cross' and fixes is null")
    pairs = {(row["one"], row["other"]): row["adds"] for row in found}
    assert len(pairs) == len(found) > 10
    assert all(share is not None and 0 <= share < 0.5 for share in pairs.values())
    assert mated
    assert all(pairs[tuple(json.loads(row["parents"]))] > 0 for row in mated), "what adds nothing is the last resort"
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "another"))
    code, again = replayed(capsys, "--db", "run.db", "--out", "again.db")
    assert (code, again["differences"], again["problem"]) == (0, [], "")
    assert rows("select one, other, adds from pairs", "again.db") == found


CROSSED = "select parents ->> 0, parents ->> 1 from proposals where operator = 'cross'"


@pytest.mark.parametrize(
    "change", [f"update pairs set adds = 0 where (one, other) in ({CROSSED})", "delete from pairs where id = 5"]
)
def test_a_number_of_a_pair_that_was_changed_or_is_gone_is_found_out(change: str, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(sqlite3.connect("run.db")) as db, db:
        db.execute(change)
    code, again = replayed(capsys, "--db", "run.db")
    assert code != 0
    assert again["differences"] or again["problem"]


@pytest.mark.parametrize("gone", ["nothing", "the rows", "damaged rows"])
def test_a_run_goes_on_with_the_rows_it_kept_or_without_and_replays(gone: str, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Path(os.environ["EVOLVE_HOME"]) / "vault" / "rows"
    aside = kept.with_name("aside")
    shutil.copytree(kept, aside)
    before = rows("select one, other, adds from pairs order by id")
    try:
        if gone == "the rows":
            shutil.rmtree(kept)
        if gone == "damaged rows":
            for path in [path for path in kept.rglob("*") if path.is_file()]:
                path.write_bytes(path.read_bytes()[:-1] + b"!")
        with contextlib.redirect_stdout(io.StringIO()), ModelServer() as server:
            more = ("--model", "openai:tiny", "--base-url", server.url)
            assert run(["resume", "--db", "run.db", "--evals", "+10", *more]) == 0
    finally:
        shutil.rmtree(kept, ignore_errors=True)
        shutil.move(aside, kept)
    after = rows("select one, other, adds from pairs order by id")
    assert after[: len(before)] == before, "what was recorded stands"
    new = [row["adds"] for row in after[len(before) :]]
    assert new
    assert (None in new) == (gone != "nothing")
    code, again = replayed(capsys, "--db", "run.db", "--out", "again.db")
    assert (code, again["differences"], again["problem"]) == (0, [], "")


def test_the_rows_behind_the_numbers_are_in_no_archive_no_prompt_and_no_report(crossed: tuple[Path, list[Served]]) -> None:
    home = Path(os.environ["EVOLVE_HOME"])
    secret = {text for text in marks(home) if len(text) > 20}
    assert len(secret) > 50
    assert run(["report", "--db", "run.db", "--out", "run.html"]) == 0
    told = [path.read_bytes() for path in Path().rglob("*") if path.is_file()]
    told += [(served.system + served.prompt).encode() for served in crossed[1]]
    numbers = [
        bits.to_bytes((bits.bit_length() + 7) // 8, order)
        for bits in (int(t, 16) for t in secret)
        for order in ("big", "little")
    ]
    assert not [text for text in secret for held in told if text.encode() in held]
    assert not [bits for bits in numbers for held in told if bits in held]


def test_no_prompt_shows_what_a_pair_adds(crossed: tuple[Path, list[Served]]) -> None:
    shares = {f"{row['adds']:.6f}"[1:] for row in rows("select adds from pairs") if row["adds"]}
    asked = " ".join(served.prompt for served in crossed[1])
    assert not {share for share in shares if share in asked}


def test_what_is_kept_of_rows_is_for_its_owner_only() -> None:
    kept = Path(os.environ["EVOLVE_HOME"]) / "vault" / "rows"
    modes = {path.is_dir(): path.stat().st_mode & 0o077 for path in [kept, *kept.rglob("*")]}
    assert modes == {True: 0, False: 0}


def test_by_rank_nothing_is_asked_about_any_pair(capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--set", "pairing=rank", evals=4, db="ranked.db") == 0
    assert rows("select count(*) as n from pairs", "ranked.db")[0]["n"] == 0


def test_a_run_from_before_there_were_pairs_goes_on_by_rank(capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(sqlite3.connect("run.db")) as db, db:
        db.execute("update runs set config = json_remove(config, '$.pairing')")
        db.execute("update journal set config = json_remove(config, '$.pairing') where config is not null")
        db.execute("delete from pairs")
    with contextlib.redirect_stdout(io.StringIO()), ModelServer() as server:
        assert run(["resume", "--db", "run.db", "--evals", "+4", "--model", "openai:tiny", "--base-url", server.url]) == 0
    assert rows("select count(*) as n from pairs")[0]["n"] == 0
    assert json.loads(rows("select config from runs")[0]["config"])["pairing"] == "rank"
