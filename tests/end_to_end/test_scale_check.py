"""The scale check at the end of a run: the champion and the human best on each size of model, and what is kept of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import evolve
from evolve.cli import run
from fitness.nouns import Split
from fitness.vault.vault import Vault
from tests.end_to_end.test_end_to_end import rows, searched
from tests.support import own_tasks, sizes, tiny

FEW = ("--evals", "4", "--seed", "3", "--workers", "2", "--set", "fresh_instances=4")
JUDGED = "select method, domain, split, trials, status from evaluations where split = 'scale' order by id"


@pytest.fixture(scope="module")
def checked(_module_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a run with a scale check, and what it printed."""
    folder = tmp_path_factory.mktemp("checked")
    with searched(_module_home, folder) as out, pytest.MonkeyPatch.context() as patch:
        sizes.register(patch, folder / "weights")
        assert run(["start", *tiny.SMALL, *FEW, "--db", "run.db", "--scale-check"]) == 0
    return folder, out.getvalue()


@pytest.fixture(autouse=True)
def _there(monkeypatch: pytest.MonkeyPatch, checked: tuple[Path, str]) -> None:
    tiny.register(monkeypatch)
    sizes.register(monkeypatch, checked[0] / "weights")
    monkeypatch.chdir(checked[0])


def test_both_are_judged_on_every_size_on_the_same_rows_and_the_looks_are_counted(checked: tuple[Path, str]) -> None:
    run_of = rows("select champion, human_best from runs")[0]
    both = [run_of["champion"], run_of["human_best"]]
    judged = rows(JUDGED)
    assert [(row["method"], row["domain"]) for row in judged] == [(m, size) for size in ("1m", "5m") for m in both]
    assert {(row["trials"], row["status"]) for row in judged} == {(4, "OK")}
    floors = rows("select domain, instance, count(distinct weak_acc) as n from trials where split = 'scale' group by 1, 2")
    assert [row["n"] for row in floors] == [1] * 8  # each trial of a method alone is scored on rows of its own
    looks = rows("select method, domain, instances from looks where who = 'scale check' order by id")
    assert looks == [{"method": m, "domain": size, "instances": 4} for size in ("1m", "5m") for m in both]
    assert [Vault().looks(size, Split.SCALE) for size in ("1m", "5m")] == [2, 2]


def test_the_table_stands_in_what_is_printed_in_the_report_and_in_python_and_the_final_table_is_as_without(
    checked: tuple[Path, str],
) -> None:
    folder, out = checked
    found = evolve.open_run("run.db").scale_table()
    assert found is not None
    said = " ".join(out.split())
    page = " ".join((folder / "run.html").read_text().split())
    assert run(["report", "--db", "run.db", "--format", "md", "--out", "run.md"]) == 0
    for text in (said, page, (folder / "run.md").read_text().replace("\\", "")):
        assert found["sentence"] in text
        assert "5m" in text
    assert [line["size"] for line in found["lines"]] == ["1m", "5m"]
    assert not {"1m", "5m"} & {row["domain"] for row in evolve.open_run("run.db").final_table()}


def test_a_check_that_was_made_is_not_made_again_until_another_size_is_there(
    checked: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(rows(JUDGED))
    assert run(["resume", "--db", "run.db", "--json"]) == 0
    assert len(rows(JUDGED)) == before
    end = json.loads(capsys.readouterr().out.splitlines()[-1])["end"]
    assert [line["size"] for line in end["scale"]["lines"]] == ["1m", "5m"]
    sizes.register(monkeypatch, checked[0] / "more", {**sizes.READ_BY, "20m": "weak"})
    assert run(["resume", "--db", "run.db"]) == 0
    assert [row["domain"] for row in rows(JUDGED)[before:]] == ["1m", "1m", "5m", "5m", "20m", "20m"]
    assert "of 3 sizes" in " ".join(capsys.readouterr().out.split())


def test_a_task_of_another_contract_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = own_tasks.written(tmp_path, own_tasks.DIGITS, own_tasks.DIGIT_SEEDS)
    left: list[Any] = sorted(tmp_path.rglob("*"))
    assert run(["start", "--task", str(file), "--scale-check", "--evals", "2", "--db", "none.db"]) == 2
    assert "scale check needs methods that are handed train_x, weak, test_x" in " ".join(capsys.readouterr().err.split())
    assert sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in str(path)) == left
