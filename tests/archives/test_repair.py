"""archive check --repair: whatever is damaged, what can be read is kept, the rest is named, and the original stays."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from archives.maintenance.check import check
from evolve.cli import run
from evolve.grids import grid_of
from tests.archives.test_check import BROKEN
from tests.support import earlier_schemas, hostile, tiny
from tests.support.example_run import build

PAGE = 4096
LEFT = {"parents are known", "spending is never negative", "no reply is paid twice"}  # nobody can tell what was true


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = hostile.example(tmp_path_factory.mktemp("base") / "run.db")
    hostile.script(path, "delete from probes; update methods set flags = ''; insert into findings values ('a', 'b', 'c', 'd')")
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma journal_mode = delete")
    return path


@pytest.fixture
def db(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(base, tmp_path / "run.db"))


def contents(path: Path) -> dict[str, set[str]]:
    with closing(sqlite3.connect(path)) as db:
        tables = earlier_schemas.tables(db)
        return {name: {repr(row) for row in db.execute(f"select {', '.join(cs)} from {name}")} for name, cs in tables.items()}


def violations(path: Path) -> list[str]:
    with closing(Archive.open(path)) as archive:
        return [one.rule for one in check(archive, grid_of(archive))]


def repair(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["archive", "check", "--repair", "--db", str(path), "--json", *words])
    shown = capsys.readouterr()
    assert shown.err == ""
    return code, json.loads(shown.out)


def test_a_whole_archive_stays_as_it_is(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = db.read_bytes()
    code, found = repair(capsys, db)
    assert (code, found["kept"], found["losses"]) == (0, None, [])
    assert db.read_bytes() == before
    assert [path.name for path in db.parent.iterdir()] == ["run.db"]


def test_a_copy_by_repair_holds_every_row(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = repair(capsys, db, "--out", str(tmp_path / "out.db"))
    assert (code, found["losses"], found["notes"], found["violations"]) == (0, [], [], [])
    assert contents(tmp_path / "out.db") == contents(db)


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: BROKEN[change][0])
def test_what_does_not_hold_is_put_right_or_named(change: str, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile.script(db, f"pragma foreign_keys = off; {change}")
    before = db.read_bytes()
    if BROKEN[change][0] == "one run":
        assert run(["archive", "check", "--repair", "--db", str(db)]) == 2
        assert "cannot be read: restore it from a copy" in capsys.readouterr().err
        assert db.read_bytes() == before
        return
    code, found = repair(capsys, db)
    assert Path(found["kept"]).read_bytes() == before
    assert violations(db) == [one["rule"] for one in found["violations"]]
    assert set(violations(db)) <= LEFT & {BROKEN[change][0]}
    assert code == (2 if violations(db) else 0)
    with closing(Archive.open(db)) as archive:
        assert archive.elites() or "measures" in change
        assert archive.rows("select 1 from findings where findings match 'b'")


def test_dropped_rows_lie_beside_the_archive(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile.script(db, "delete from trials where evaluation = 3 and place = 0")
    assert run(["archive", "check", "--repair", "--db", str(db)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "1 row of evaluations could not be kept: some of their trials are gone." in shown
    rows = [json.loads(line) for line in Path(f"{db}.dropped").read_text().splitlines()]
    assert [row["table"] for row in rows] == ["evaluations", *["trials"] * 9]
    assert rows[0]["id"] == 3


def damaged_pages(path: Path) -> list[int]:
    pages = path.stat().st_size // PAGE
    return random.Random(1).sample(range(2, pages + 1), 12)


@pytest.mark.thorough
@pytest.mark.parametrize("how", ["zeros", "noise", "half"])
def test_any_page_may_be_damaged(how: str, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, kept = contents(base), 0
    noise = {"zeros": bytes(PAGE), "noise": random.Random(2).randbytes(PAGE), "half": bytes(PAGE // 2)}[how]
    for page in damaged_pages(base):
        db, out = Path(shutil.copy(base, tmp_path / "run.db")), tmp_path / "out.db"
        with open(db, "r+b") as file:
            file.seek(page * PAGE - len(noise))
            file.write(noise)
        before = db.read_bytes()
        code = run(["archive", "check", "--repair", "--db", str(db), "--out", str(out), "--json"])
        shown = capsys.readouterr()
        assert db.read_bytes() == before
        if not out.exists():
            assert code == 2
            assert shown.err.count("\n") == 1
            assert "restore it from a copy" in shown.err
            continue
        found = json.loads(shown.out)
        assert violations(out) == [one["rule"] for one in found["violations"]]
        assert set(violations(out)) <= LEFT
        after = contents(out)
        kept += sum(map(len, after.values()))
        for table in ("methods", "trials", "evaluations", "spend"):
            lost = not after[table] >= whole[table]
            named = any(loss["table"] == table for loss in found["losses"]) or any(table in note for note in found["notes"])
            assert named or not lost, (page, table)
        for table in ("methods", "trials", "looks", "findings"):
            assert after[table] <= whole[table] or how != "zeros", "nothing is made up where SQLite sees the damage"
        out.unlink()
    assert kept > 0.7 * 12 * sum(map(len, whole.values()))


def test_a_file_that_was_cut_short(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = contents(db)
    cut = db.read_bytes()[: db.stat().st_size * 9 // 10 // PAGE * PAGE + 1000]
    db.write_bytes(cut)
    code, found = repair(capsys, db)
    assert found["losses"]
    assert Path(found["kept"]).read_bytes() == cut
    assert code in (0, 2)
    assert contents(db)["methods"] <= whole["methods"]
    assert len(contents(db)["methods"]) > len(whole["methods"]) / 2
    assert run(["top", "--db", str(db)]) == 0


def test_rows_that_were_in_the_write_ahead_log_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = build(tmp_path / "live.db", 6, finished=False)
    with closing(Archive.open(db, write=True)) as writer:
        writer.event("note", "only in the log")
        hostile.script(db, "drop view costs")
        copy = tmp_path / "crashed.db"
        shutil.copy(db, copy)
        shutil.copy(f"{db}-wal", f"{copy}-wal")
    code, found = repair(capsys, copy)
    assert code == 0
    assert Path(f"{found['kept']}-wal").exists()
    with closing(Archive.open(copy)) as archive:
        assert archive.rows("select 1 from events where text = 'only in the log'")
        assert archive.rows("select 1 from costs") == []


@pytest.mark.parametrize("name", ["m001", "m003"])
def test_an_older_archive_is_repaired_and_migrated(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = Path(shutil.copy(earlier_schemas.FOLDER / f"{name}.db", tmp_path / "run.db"))
    hostile.script(db, "drop view leaderboard; pragma foreign_keys = off; update elites set fitness = 9 where island = 1")
    before = contents(earlier_schemas.FOLDER / f"{name}.db")
    code, found = repair(capsys, db)
    assert (code, found["losses"], violations(db)) == (0, [], [])
    assert {table: len(rows) for table, rows in contents(db).items() if table in before and table != "elites"} == {
        table: len(rows) for table, rows in before.items() if table != "elites"
    }
    with closing(Archive.open(db)) as archive:
        assert max(elite.fitness for elite in archive.elites()) < 1


def test_what_cannot_be_repaired_is_a_sentence(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.db").write_text("hello" * 1000)
    Path("empty.db").write_bytes(b"")
    Path("head.db").write_bytes(bytes(PAGE) + base.read_bytes()[PAGE:])
    with closing(sqlite3.connect("other.db")) as other:
        other.execute("create table x (y)")
    shutil.copy(base, "newer.db")
    hostile.script(
        Path("newer.db"),
        "insert into _sqlite_migrations select 99, migration_set, 'm999_x', '' from _sqlite_migrations limit 1",
    )
    sentences = {
        "none.db": "there is no archive at", "text.db": "is no database", "empty.db": "not an archive of evolve",
        "head.db": "is no database, or its first page is damaged", "other.db": "not an archive of evolve",
        "newer.db": "newer evolve (m999_x): update evolve", ".": "there is no archive at",
    }  # fmt: skip
    names = sorted(path.name for path in Path().iterdir())
    for name, sentence in sentences.items():
        before = Path(name).read_bytes() if Path(name).is_file() else b""
        for words in ([], ["--out", "out.db"]):
            assert run(["archive", "check", "--repair", "--db", name, *words]) == 2
            err = capsys.readouterr().err
            assert sentence in err
            assert err.count("\n") == 1
        assert not before or Path(name).read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == names
    assert run(["archive", "check", "--db", "newer.db", "--out", "out.db"]) == 2
    assert "--out goes with --repair" in capsys.readouterr().err


def test_a_strangers_tables_columns_and_triggers_stay_behind(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile.script(
        db,
        "create table secrets (x); alter table looks add column more text; "
        "create trigger t after insert on runs begin delete from methods; end; create view v as select 1",
    )
    code, found = repair(capsys, db)
    assert (code, violations(db)) == (0, [])
    assert {(loss["table"], loss["reason"].split()[0]) for loss in found["losses"]} == {("secrets", "it"), ("looks", "evolve")}
    with closing(Archive.open(db)) as archive:
        assert not archive.rows("select 1 from sqlite_master where name in ('secrets', 't', 'v')")


@pytest.mark.thorough
def test_a_run_whose_trials_were_lost_judges_them_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert run(["start", *tiny.SMALL, "--evals", "5", "--db", "run.db"]) == 0
    hostile.script(
        Path("run.db"), "delete from trials where evaluation in (select id from evaluations where proposal in (2, 3))"
    )
    code, found = repair(capsys, Path("run.db"))
    assert code == 0
    assert any("are judged again" in note for note in found["notes"])
    assert run(["resume", "--db", "run.db"]) == 0
    assert violations(Path("run.db")) == []
    with closing(Archive.open(Path("run.db"))) as archive:
        assert archive.judged() == 5
