"""The totals in the file are what counting comes to, whatever is written, by whom, and however an archive came about."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.maintenance.backup import begin_again, leave_out
from archives.maintenance.check import check
from archives.schema.totals import COUNTED, wrong
from evolve.cli import run
from evolve.queries.status import run_status
from tests.support import earlier_schemas, hostile
from tests.support.example_run import build

COLUMNS: dict[str, dict[str, tuple[object, ...]]] = {
    "proposals": {
        "island": (0, 1),
        "operator": ("edit", "cross"),
        "model": ("", "m"),
        "direction": ("north", "south"),
        "state": ("asked", "done", "done", "refused", "unanswered"),
        "placement": (None, "NEW", "IMPROVED", "REJECTED"),
        "gain": (None, 0.0, 0.25, 1.5),
    },
    "spend": {
        "proposal": (None, 1, 2, 3, 4, 5, 6),
        "kind": ("model", "model", "lost"),
        "calls": (0, 1, 2),
        "tokens_in": (0, 40),
        "tokens_out": (0, 7),
        "usd": (None, 0.0, 0.5, 2.25),
    },
}
REST = {
    "proposals": {"parents": "[]", "prompt": "", "reply": "", "idea": "", "novelty": 0.0, "reason": ""},
    "spend": {"model": "m", "seconds": 0.0},
}


def change(archive: Archive, rng: random.Random) -> None:
    """Insert, update (one column, also the key) or delete a row, as a person would."""
    table = rng.choice(sorted(COLUMNS))
    columns: dict[str, tuple[object, ...]] = {**COLUMNS[table], "id": (1, 2, 3, 4, 5, 6)}
    row = {name: rng.choice(values) for name, values in columns.items()}
    what, number = rng.choice(("insert", "insert", "update", "update", "delete")), rng.choice(columns["id"])
    if what == "insert":
        archive.insert(table, row | REST[table], ignore=True)
    elif what == "delete":
        archive.execute(f"delete from {table} where id = ?", [number])
    else:
        name = rng.choice(sorted(row))
        archive.execute(f"update or ignore {table} set {name} = ? where id = ?", [row[name], number])


def counted(archive: Archive) -> tuple[dict[object, list[object]], dict[object, list[object]]]:
    """Count arms and directions here, row by row."""
    arms: dict[object, list[float]] = {}
    directions: dict[object, list[float]] = {}
    for row in archive.rows("select * from proposals where state in ('done', 'refused')"):
        placed = row["placement"] in ("NEW", "IMPROVED")
        calls = archive.rows("select * from spend where proposal = ? and kind = 'model'", [row["id"]])
        arm = arms.setdefault((row["island"], row["model"], row["operator"]), [0] * 7)
        tokens = sum(call["tokens_in"] + call["tokens_out"] for call in calls)
        unpriced = sum(call["calls"] > 0 and call["usd"] is None for call in calls)
        usd = sum(call["usd"] or 0 for call in calls)
        found = (1, placed, row["gain"] or 0, sum(call["calls"] for call in calls), tokens, usd, unpriced)
        arm[:] = [held + more for held, more in zip(arm, found)]
        line = directions.setdefault(row["direction"], [0, 0])
        line[:] = [line[0] + 1, line[1] + placed]
    return arms, directions


def held(archive: Archive) -> tuple[dict[object, list[object]], dict[object, list[object]]]:
    """Return the totals that the file holds."""
    arms = [list(row.values()) for row in archive.rows("select * from arm_totals")]
    directions = [list(row.values()) for row in archive.rows("select * from direction_totals")]
    return {tuple(row[:3]): row[3:] for row in arms}, {row[0]: row[1:] for row in directions}


def sound(archive: Archive) -> bool:
    return not any(archive.rows(wrong(table)) for table in COUNTED) and held(archive)[1] == counted(archive)[1]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_written_the_totals_are_what_counting_comes_to(seed: int, tmp_path: Path) -> None:
    archive, rng = Archive.create(tmp_path / "run.db"), random.Random(seed)
    archive._db.execute("pragma foreign_keys = off")  # a proposal may go before its calls, or come after them
    with archive.transaction():
        for _ in range(200):
            change(archive, rng)
            assert held(archive) == counted(archive)
            assert not any(archive.rows(wrong(table)) for table in COUNTED)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return hostile.example(tmp_path / "run.db")


def test_a_run_and_what_is_made_of_it_have_them_right(db: Path, tmp_path: Path) -> None:
    build(tmp_path / "other.db", 9, seed=2)
    out = [str(tmp_path / f"{number}.db") for number in range(4)]
    assert run(["archive", "backup", out[0], "--db", str(db)]) == 0
    assert run(["archive", "merge", str(db), str(tmp_path / "other.db"), "--out", out[1]]) == 0
    assert run(["archive", "check", "--repair", "--db", str(db), "--out", out[2]]) == 0
    assert run(["archive", "regrid", "--grid", "cvt", "--cells", "9", "--db", str(db), "--out", out[3]]) == 0
    tried = {}
    for path in (str(db), *out):
        with closing(Archive.open(Path(path))) as archive:
            assert sound(archive), path
            tried[path] = archive.rows("select sum(tried) as n, sum(calls) as calls from arms")[0]
    assert tried[str(db)] == tried[out[0]] == tried[out[2]] == tried[out[3]]
    assert tried[str(db)]["calls"] == 1
    assert tried[out[1]]["n"] == int(str(tried[str(db)]["n"])) + 9


def test_the_beginning_of_another_run_has_none(tmp_path: Path) -> None:
    with closing(Archive.open(build(tmp_path / "seeds.db", 0, finished=False), write=True)) as archive:
        leave_out(archive, archive.methods()[0].id)
        begin_again(archive, "another", "{}", 3, "")
        assert held(archive) == ({}, {})
        assert sound(archive)


def test_wrong_totals_are_named_and_repaired(db: Path) -> None:
    with closing(Archive.open(db)) as archive:
        before = held(archive)
    hostile.script(db, "update arm_totals set calls = calls + 1 where model != ''; delete from direction_totals")
    with closing(Archive.open(db)) as archive:
        found = {one.rule: one.sentence for one in check(archive, None)}
        assert run_status(archive, alive=False).directions
    assert found.keys() == {"arms add up", "directions add up"}
    assert "openai:tiny" in found["arms add up"]
    assert run(["archive", "check", "--repair", "--db", str(db)]) == 0
    with closing(Archive.open(db)) as archive:
        assert held(archive) == before
        assert check(archive, None) == ()


def test_a_trigger_that_is_gone_or_changed_is_named(db: Path) -> None:
    hostile.script(
        db,
        "drop trigger totals_spend_insert; drop trigger totals_spend_delete; "
        "create trigger totals_spend_delete after delete on spend begin delete from methods; end",
    )
    with closing(Archive.open(db)) as archive:
        assert {one.sentence for one in check(archive, None)} == {
            "the trigger totals_spend_insert is missing",
            "the trigger totals_spend_delete is not as evolve makes it",
        }


@pytest.mark.parametrize("gone", ["arm_totals", "direction_totals"])
def test_without_them_looking_ends_in_a_sentence(gone: str, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile.script(db, f"drop table {gone}")
    assert run(["status", "--db", str(db)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert run(["top", "--db", str(db)]) == 0
    assert run(["archive", "check", "--repair", "--db", str(db)]) == 0
    assert run(["status", "--db", str(db)]) == 0


def test_the_view_says_what_it_said_before_there_were_totals(tmp_path: Path) -> None:
    path = Path(shutil.copy(earlier_schemas.FOLDER / "m006.db", tmp_path / "run.db"))
    with closing(sqlite3.connect(path)) as before:
        said = before.execute("select * from arms order by island, model, operator").fetchall()
    with closing(Archive.open(path)) as archive:
        rows = archive.rows("select * from arms order by island, model, operator")
        assert sound(archive)
    assert [tuple(row.values()) for row in rows] == said
    assert any(row["calls"] for row in rows)
