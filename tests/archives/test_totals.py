"""The totals in the file are what counting comes to, whatever is written, by whom, and however an archive came about."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives.archive import Archive
from archives.check import check
from archives.forking import begin_again, leave_out
from archives.totals import COUNTED, wrong
from evolve.cli import run
from evolve.report.standing import standing
from tests import hostile
from tests.archives import earlier_schemas
from tests.example_run import build

STATES = ("asked", "proposed", "done", "refused", "unanswered", "lost")
NUMBERS = st.integers(1, 6)
COLUMNS = {
    "island": st.integers(0, 1),
    "operator": st.sampled_from(["edit", "cross"]),
    "model": st.sampled_from(["", "m"]),
    "direction": st.sampled_from(["north", "south"]),
    "state": st.sampled_from(STATES),
    "placement": st.sampled_from([None, "NEW", "IMPROVED", "REJECTED"]),
    "gain": st.sampled_from([None, 0.0, 0.25, 1.5]),
}
CALL = {
    "proposal": st.sampled_from([None, 1, 2, 3, 4, 5, 6]),
    "kind": st.sampled_from(["model", "lost"]),
    "calls": st.integers(0, 2),
    "tokens_in": st.integers(0, 99),
    "tokens_out": st.integers(0, 99),
    "usd": st.sampled_from([None, 0.0, 0.5, 2.25]),
}


def changes(table: str, columns: dict[str, st.SearchStrategy[object]]) -> st.SearchStrategy[tuple[str, str, int, object]]:
    """Draw an insert, an update of some columns (the key too), or a delete of a row."""
    rows, some = st.fixed_dictionaries(columns), st.fixed_dictionaries({}, optional={**columns, "id": NUMBERS})
    return st.one_of(
        st.tuples(st.just("insert"), st.just(table), NUMBERS, rows),
        st.tuples(st.just("update"), st.just(table), NUMBERS, some),
        st.tuples(st.just("delete"), st.just(table), NUMBERS, st.none()),
    )


CHANGES = st.lists(st.one_of(changes("proposals", COLUMNS), changes("spend", CALL)), max_size=40)
REST = {
    "proposals": {"parents": "[]", "prompt": "", "reply": "", "idea": "", "novelty": 0.0, "reason": ""},
    "spend": {"model": "m", "seconds": 0.0},
}


def change(archive: Archive, what: str, table: str, number: int, row: object) -> None:
    """Write as a person would; where the row is there, or is not, nothing happens."""
    if what == "delete":
        archive.execute(f"delete from {table} where id = ?", [number])
    elif what == "update" and row:
        archive.execute(
            f"update or ignore {table} set {', '.join(f'{name} = ?' for name in row)} where id = ?", [*row.values(), number]
        )
    elif what == "insert":
        archive.insert(table, {"id": number, **dict(row), **REST[table]}, ignore=True)


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


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    archive = Archive.create(tmp_path_factory.mktemp("empty") / "run.db")
    archive._db.execute("pragma foreign_keys = off")  # a proposal may go before its calls, or come after them
    return archive


@given(CHANGES)
def test_whatever_is_written_the_totals_are_what_counting_comes_to(
    empty: Archive, written: list[tuple[str, str, int, object]]
) -> None:
    empty._db.execute("begin")
    try:
        for one in written:
            change(empty, *one)
        assert held(empty) == counted(empty)
        assert not any(empty.rows(wrong(table)) for table in COUNTED)
    finally:
        empty._db.conn.rollback()


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
        assert standing(archive, alive=False).directions
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
