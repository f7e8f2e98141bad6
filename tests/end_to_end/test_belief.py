"""Scores that can be believed, end to end: flags, several search domains, the ledger of looks, the seal."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from evolve.cli import run
from tests.support import tiny

THIEF = """
import torch


def method(problem):
    x = torch.cat([problem.train_x, problem.test_x])
    axis = torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[0]
    scores = problem.test_x @ axis
    return (scores > scores.median()).float()
"""


VARIANT = THIEF.replace("Vh[0]", "Vh[1]")


@dataclass(frozen=True)
class Searched:
    """A finished run: its folder, which holds run.db, and what it printed."""

    folder: Path
    out: str

    def rows(self, sql: str) -> list[dict[str, Any]]:
        archive = Archive.open(self.folder / "run.db")
        try:
            return [dict(row) for row in archive.rows(sql)]
        finally:
            archive.close()


def search(folder: Path, home: Path, *arguments: str) -> Searched:
    """Search on the tiny task in a folder."""
    folder.mkdir()
    (folder / "thief.py").write_text(THIEF)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
        tiny.register(patch)
        patch.setenv("EVOLVE_HOME", str(home))
        patch.chdir(folder)
        assert run(["start", *tiny.SMALL, "--db", "run.db", *arguments]) == 0
    return Searched(folder, " ".join(out.getvalue().split()))


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory, _module_home: Path) -> Searched:
    """A run whose seeds include a cheat."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    return search(folder, _module_home, "--seeds", "thief.py", "--evals", "10", "--set", "sealed_looks=1")


@pytest.fixture(scope="module")
def two_domains(tmp_path_factory: pytest.TempPathFactory, _module_home: Path) -> Searched:
    """A run on two search domains."""
    arguments = ["--domain", "chat", "--domain", "code_deceptive", "--evals", "4"]
    return search(tmp_path_factory.mktemp("runs") / "two", _module_home, *arguments)


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, searched: Searched) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(searched.folder)


def test_a_cheat_is_flagged_kept_out_of_the_grid_and_stays_in_the_archive(
    searched: Searched, capsys: pytest.CaptureFixture[str]
) -> None:
    [found] = searched.rows("select id, flags from methods where name = 'thief'")
    assert found["flags"]
    assert searched.rows(f"select count(*) as n from elites where method = '{found['id']}'")[0]["n"] == 0
    assert searched.rows(f"select count(*) as n from trials t join evaluations e on e.id = t.evaluation "
                         f"where e.method = '{found['id']}' and t.status = 'OK'")[0]["n"] == 3  # fmt: skip
    assert "is kept out of the grid, flagged by" in searched.out
    assert run(["show", "thief", "--db", "run.db"]) == 0
    assert "FAILED" in capsys.readouterr().out
    assert run(["top", "-n", "40", "--db", "run.db"]) == 0
    assert f"flagged by {found['flags']}" in capsys.readouterr().out


def test_judging_a_cheat_names_the_probes_that_it_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["judge", "thief.py", "--task", "tiny", "--instances", "2", "--json"]) == 0
    judged = json.loads(capsys.readouterr().out)
    assert judged["flags"]
    assert set(judged["flags"]) == {probe["probe"] for probe in judged["probes"] if probe["verdict"] == "FAILED"}
    assert judged["looks"] == 1


def test_adding_a_cheat_by_hand_says_why_it_is_kept_out(searched: Searched, capsys: pytest.CaptureFixture[str]) -> None:
    Path("variant.py").write_text(VARIANT)
    assert run(["seed", "add", "variant.py", "--db", "run.db"]) == 2
    assert "flagged and kept out of the grid by" in capsys.readouterr().out
    [found] = searched.rows("select id, flags from methods where name = 'variant'")
    assert found["flags"]
    assert searched.rows(f"select count(*) as n from elites where method = '{found['id']}'")[0]["n"] == 0


def test_every_elite_was_examined_and_passed(searched: Searched) -> None:
    examined = searched.rows(
        "select e.method, count(p.id) as probes, sum(p.verdict = 'FAILED') as failed from elites e "
        "left join probes p on p.method = e.method group by e.method"
    )
    assert len(examined) > 5
    assert all(row["probes"] >= 5 and row["failed"] == 0 for row in examined)


def test_the_run_remembers_how_many_were_tried_and_the_inflation(searched: Searched) -> None:
    kept = searched.rows("select tried, inflation, champion from runs")[0]
    assert kept["tried"] == 10
    assert f"the best of {kept['tried']} methods on dev" in searched.out
    assert f"inflation {kept['inflation']:+.2f}" in searched.out
    board = searched.rows(f"select inflation from leaderboard where method = '{kept['champion']}'")[0]
    assert board["inflation"] == pytest.approx(kept["inflation"], abs=0.0011)


def test_a_search_on_two_domains_scores_every_method_on_both(two_domains: Searched) -> None:
    assert "code_deceptive (3)" in two_domains.out
    whole = two_domains.rows("select id, domain, trials from evaluations where split = 'dev' and fitness is not null")
    assert {row["domain"] for row in whole} == {"chat+code_deceptive"}
    assert {row["trials"] for row in whole} == {6}
    order = two_domains.rows(f"select domain, instance from trials where evaluation = {whole[0]['id']} order by place")
    assert [(r["domain"], r["instance"]) for r in order][:4] == [
        ("chat", 0), ("code_deceptive", 0), ("chat", 1), ("code_deceptive", 1),
    ]  # fmt: skip
    asked = two_domains.rows("select distinct domain from looks where split = 'dev' and who = 'engine'")
    assert {row["domain"] for row in asked} == {"chat", "code_deceptive"}
    fresh = two_domains.rows("select distinct domain from evaluations where split = 'fresh'")
    assert {row["domain"] for row in fresh} == {"chat+code_deceptive", "math", "code", "digits"}
    for verb in ("status", "top", "show", "map", "report"):
        assert run([verb, "--db", str(two_domains.folder / "run.db")]) == 0


def test_an_unknown_domain_or_too_few_instances_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["start", *tiny.SMALL, "--db", "other.db", "--domain", "math"]) == 2
    assert "choose among chat, code_deceptive" in capsys.readouterr().err
    assert run(["start", *tiny.SMALL, "--db", "other.db", "--set", "dev_instances=2"]) == 2
    assert "places a method only after 3 dev instances" in capsys.readouterr().err
    assert not Path("other.db").exists()


def test_the_seal_asks_counts_and_refuses(
    searched: Searched, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(["sealed", "--db", "run.db", "--instances", "2"]) == 2, "nobody answered the question"
    assert "nothing was opened" in capsys.readouterr().err
    assert searched.rows("select count(*) as n from looks where split = 'sealed'")[0]["n"] == 0
    assert run(["sealed", "--db", "run.db", "--instances", "2", "--yes", "--json"]) == 0
    opened = json.loads(capsys.readouterr().out)
    domains = ["chat", "math", "code", "digits"]
    assert (opened["looks"], [d["domain"] for d in opened["domains"]]) == (1, domains)
    ends = [(d["interval"]["n"], d["interval"]["low"], d["interval"]["high"]) for d in opened["domains"] if d["status"] == "OK"]
    assert set(ends) == {(2, None, None)}, "two are too few for an interval"
    assert {row["domain"] for row in searched.rows("select domain from looks where split = 'sealed'")} == set(domains)
    assert run(["sealed", "--db", "run.db", "--instances", "2", "--yes"]) == 3
    assert "1 is the limit" in capsys.readouterr().err
