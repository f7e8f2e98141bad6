"""A second run on a vault takes the human baselines' scores from the first, and its archive is the same as without."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from evolve.cli import run
from fitness.contracts.contract import Problem
from fitness.nouns import Limits, Outcome
from fitness.sandbox.sandbox import Sandbox
from tests.support import tiny

STORED = {
    "evaluations": "select domain, split, status, fitness, pgr, pgr_low, pgr_high, trials, measures, message, m.name, m.origin "
    "from evaluations e join methods m on m.id = e.method order by e.id",
    "trials": "select t.evaluation, t.place, t.domain, t.instance, t.split, t.status, t.pgr, t.stderr, t.transfer_acc, t.n, "
    "t.measures from trials t order by t.evaluation, t.place",
    "probes": "select method, domain, split, instance, probe, verdict, number, threshold, sentence from probes order by id",
    "methods": "select id, name, source, origin, flags from methods order by rowid",
    "elites": "select island, cell, method, fitness from elites order by island, cell",
    "looks": "select who, method, domain, split, instances, why, lineage, answer from looks order by id",
    "events": "select kind, text, island, method from events order by id",
    "journal": "select * from journal order by id",
}
SECONDS = (
    "select e.split, m.name, t.place, t.seconds from trials t join evaluations e on e.id = t.evaluation "
    "join methods m on m.id = e.method where m.origin = 'seed' order by e.id, t.place"
)


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "home"))


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the sandbox ran each source."""
    times, real = Counter[str](), Sandbox.run

    def counted(self: Sandbox, source: str, problem: Problem, limits: Limits) -> Outcome:
        times[source] += 1
        return real(self, source, problem, limits)

    monkeypatch.setattr(Sandbox, "run", counted)
    return times


def start(name: str, *settings: str) -> int:
    workers = ("--set", "workers=1", "--set", "calls=1")
    return run(["start", "--db", name, "--evals", "8", "--seed", "3", *tiny.SMALL, *workers, *settings])


def stored(name: str) -> dict[str, list[dict[str, Any]]]:
    with contextlib.closing(Archive.open(Path(name))) as archive:
        return {table: [dict(row) for row in archive.rows(query)] for table, query in STORED.items()}


def seconds(name: str) -> list[dict[str, Any]]:
    with contextlib.closing(Archive.open(Path(name))) as archive:
        return [dict(row) for row in archive.rows(SECONDS)]


def baselines() -> set[str]:
    return {path.read_text() for path in tiny.TASK.seeds[0].glob("*.py")}


def test_a_second_run_on_a_vault_runs_no_baseline_and_stores_the_same_rows_as_one_that_does(
    ran: Counter[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert start("first.db") == 0
    assert baselines() <= set(ran)
    assert "earlier run" not in capsys.readouterr().out
    ran.clear()
    assert start("second.db") == 0
    assert not baselines() & set(ran)
    assert "5 of 5 human baselines were judged by an earlier run" in capsys.readouterr().out
    assert seconds("second.db") == seconds("first.db")
    ran.clear()
    shutil.rmtree("home/vault/baselines")
    assert start("anew.db") == 0
    assert baselines() <= set(ran)
    first, second, anew = stored("first.db"), stored("second.db"), stored("anew.db")
    for table in STORED:
        assert second[table] == first[table] == anew[table], table


def test_a_run_that_took_baselines_from_another_replays_and_goes_on(ran: Counter[str]) -> None:
    assert start("first.db") == start("second.db") == 0
    assert run(["replay", "--db", "second.db"]) == 0
    ran.clear()
    assert run(["resume", "--db", "second.db", "--evals", "+2"]) == 0
    assert not baselines() & set(ran)


def test_a_users_own_file_is_judged_in_every_run(ran: Counter[str], tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text((tiny.TASK.seeds[0] / "earlystop.py").read_text().replace("EPOCHS = 1", "EPOCHS = 3"))
    assert start("first.db", "--set", "seeds=['mine.py']") == 0
    ran.clear()
    assert start("second.db", "--set", "seeds=['mine.py']") == 0
    assert mine.read_text() in ran
