"""Runs whose record is taken apart beside the search: what is recorded, counted, told to models, and replayed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.ledger import Ledger
from archives.nouns import ExperimentRecord
from evolve.cli import run
from evolve.operators.offline.record import UNCHANGED
from evolve.queries.disclosed import disclosed
from evolve.queries.failures import failures
from tests.end_to_end.test_end_to_end import rows, start
from tests.end_to_end.test_replay import alone
from tests.support import tiny
from tests.support.model_server import ModelServer

SETTINGS = ("--model", "openai:tiny", "--set", "offline_share=0.4", "--set", "calls=1", "--seed", "3")
ABLATED = "select id, state, method, reason, parents, idea from proposals where operator = 'ablate' order by id"


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def ablated(_module_home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run with a model, long enough for its record to be taken apart."""
    folder = tmp_path_factory.mktemp("ablated")
    with pytest.MonkeyPatch.context() as patch, ModelServer() as server:
        tiny.register(patch)
        patch.setenv("EVOLVE_HOME", str(_module_home))
        patch.chdir(folder)
        assert start(*SETTINGS, "--base-url", server.url, evals=16, workers=1) == 0
    return str(folder / "run.db")


def test_the_record_is_taken_apart_once_eight_children_are_judged_and_that_is_no_child(ablated: str) -> None:
    found = rows(ABLATED, ablated)
    assert found
    judged = rows(f"select count(*) as n from evaluations where proposal < {found[0]['id']}", ablated)[0]["n"]
    assert judged >= 8
    for one in found:
        assert (one["state"], one["method"], one["reason"]) == ("done", None, "")
        tried = rows(f"select * from experiments where proposal = {one['id']} order by id", ablated)
        [record] = [row for row in tried if row["label"] == "the record, unchanged"]
        assert (record["method"], record["status"]) == (record["subject"], "OK")
        assert one["idea"].startswith(f"what {len(tried) - 1} parts of ")
        assert 1 < len(tried) <= 13
    archive = Archive.open(Path(ablated))
    numbers = {one["id"] for one in found}
    assert not [line for line in failures(archive) if line.proposal in numbers], "they are no failures"
    prompts = rows("select prompt from proposals where prompt != ''", ablated)
    archive.close()
    assert not any("what 1" in row["prompt"] and " parts of " in row["prompt"] for row in prompts), (
        "no prompt counts them as tried"
    )


def test_prompts_tell_what_parts_of_the_record_are_worth_and_the_ledger_has_who_saw_it(ablated: str) -> None:
    first = rows(ABLATED, ablated)[0]["id"]
    told = rows("select id, prompt from proposals where prompt like '%# Ablations of the record%' order by id", ablated)
    assert told, "a prompt shows it"
    assert min(row["id"] for row in told) > first
    assert all("on the same 2 instances" in row["prompt"] for row in told)
    looks = "looks where why like 'the ablations of%' group by who, method, why"
    seen = rows(f"select who, method, why, count(*) as n from {looks}", ablated)
    assert {row["who"] for row in seen} == {"openai:tiny"}
    assert {row["n"] for row in seen} == {1}, "a table counts once, however often it is shown"
    tables = {row["why"].rpartition(" ")[2] for row in seen}
    told_of = f"proposal in ({','.join(tables)}) and method != subject and trials != '[]'"
    variants = rows(f"select distinct method from experiments where {told_of}", ablated)
    assert {row["method"] for row in seen} == {row["method"] for row in variants}


def test_trials_of_ablations_add_up(ablated: str) -> None:
    archive = Archive.open(Path(ablated))
    counted = sum(len(one.trials) for one in archive.experiments())
    assert archive.tried() == counted > 0
    allowed = disclosed(archive, "card")
    archive.close()
    assert allowed is not None
    assert allowed.bits is not None
    cards = rows("select count(distinct method) as n from looks where who != 'engine' and why like 'the brief%'", ablated)[0][
        "n"
    ]
    assert allowed.scores > cards, "what rows of ablations tell is counted beside the cards"


def test_a_run_with_ablations_replays_identically(ablated: str, root: Path, tmp_path: Path) -> None:
    alone(root, tmp_path / "another", Path(ablated))


def test_show_prints_what_the_parts_of_a_record_are_worth(ablated: str, capsys: pytest.CaptureFixture[str]) -> None:
    ablations = "proposal = (select max(id) from proposals where operator = 'ablate') and status = 'OK' and method != subject"
    record = rows(f"select subject, label from experiments where {ablations}", ablated)[0]
    capsys.readouterr()
    assert run(["show", record["subject"], "--db", ablated]) == 0
    printed = capsys.readouterr().out
    assert "ablations, on 2 instances of each domain" in printed
    assert record["label"].partition(",")[0][:20] in printed
    assert run(["show", record["subject"], "--db", ablated, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["ablations"]
    assert record["label"] in [row["label"] for row in told["rows"]]


def test_ablations_that_were_cut_off_go_on_with_what_was_tried(root: Path, tmp_path: Path) -> None:
    kept, db = Ledger.add_experiments, tmp_path / "cut.db"

    def cut_off(ledger: Ledger, experiments: Sequence[ExperimentRecord]) -> None:
        """Die once the first variant of the record is stored."""
        first = [one.label for one in experiments].index(UNCHANGED) if UNCHANGED in [e.label for e in experiments] else None
        kept(ledger, experiments if first is None else experiments[: first + 1])
        if first is not None:
            raise SystemExit(9)

    with ModelServer() as server:
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(SystemExit):
            patch.setattr(Ledger, "add_experiments", cut_off)
            start(*SETTINGS, "--base-url", server.url, evals=11, workers=1, db=str(db))
        before = rows("select id, proposal, label, trials from experiments order by id", str(db))
        [cut] = rows(ABLATED, str(db))
        assert (cut["state"], [row["label"] for row in before if row["proposal"] == cut["id"]]) == ("asked", [UNCHANGED])
        assert run(["resume", "--db", str(db)]) == 0
    after = rows("select id, proposal, label, trials from experiments order by id", str(db))
    assert after[: len(before)] == before
    labels = [row["label"] for row in after if row["proposal"] == cut["id"]]
    assert len(labels) > 1, "the rest was tried on resume"
    assert len(set(labels)) == len(labels), "nothing was tried twice"
    assert rows(ABLATED, str(db))[0]["state"] == "done"
    alone(root, tmp_path / "another", db)


@pytest.mark.parametrize("settings", [("--set", "experiments=0"), ("--set", "disclosure=ladder"), ("--strategy", "random")])
def test_a_run_that_may_not_tell_what_it_tried_has_no_ablations(settings: tuple[str, ...]) -> None:
    with ModelServer() as server:
        assert start(*SETTINGS, "--base-url", server.url, *settings, evals=11) == 0
    assert rows(ABLATED) == []


def test_a_run_without_a_model_has_no_ablations() -> None:
    assert start(evals=11) == 0
    assert rows(ABLATED) == rows("select id from experiments") == []
