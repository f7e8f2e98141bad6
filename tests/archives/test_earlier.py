"""Archives of every earlier schema, kept as they were written: each opens today with every row, and every verb works on it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.grid import Bins
from archives.maintenance.check import check
from archives.schema.migrations import is_older, names
from archives.schema.version import NEWEST, is_current
from archives.sqlite.connection import connect
from evolve.cli import run
from fitness.tasks import load
from tests.support import earlier_schemas

FILES = [earlier_schemas.FOLDER / f"{name[:4]}.db" for name in earlier_schemas.names()]
VERBS = (["status"], ["top"], ["show"], ["diff"], ["lineage"], ["map"], ["failures"], ["costs"], ["find", "student"])


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(request.param, tmp_path / "run.db"))


def rows(path: Path) -> dict[str, tuple[list[str], list[tuple[object, ...]]]]:
    """Return the columns and rows of every table of an archive."""
    with closing(sqlite3.connect(path)) as db:
        tables = earlier_schemas.tables(db)
        return {
            name: (columns, db.execute(f"select {', '.join(columns)} from {name}").fetchall())
            for name, columns in tables.items()
        }


def test_every_earlier_schema_has_an_archive_with_a_row_in_every_table() -> None:
    assert [path.name for path in FILES] == sorted(path.name for path in earlier_schemas.FOLDER.iterdir())
    for name, path in zip(earlier_schemas.names(), FILES):
        assert path.stat().st_size < 100_000
        with closing(sqlite3.connect(path)) as db:
            applied = [row[0] for row in db.execute("select name from _sqlite_migrations order by name")]
        assert applied[-1] == name, "it was never migrated by accident"
        assert all(found for _, found in rows(path).values())


def test_a_file_of_today_is_known_without_its_migrations(tmp_path: Path) -> None:
    assert names()[-1] == NEWEST
    assert len(names()) == int(NEWEST[1:4])
    assert is_current(Archive.create(tmp_path / "run.db")._db)
    assert not any(is_current(connect(path, "?mode=ro")) for path in FILES)


def test_it_is_migrated_without_losing_a_row_or_a_value(earlier: Path) -> None:
    before = rows(earlier)
    archive = Archive.open(earlier)
    assert not is_older(archive._db)
    for name, (columns, held) in before.items():
        after = archive.rows(f"select {', '.join(columns)} from {name}")
        assert sorted(map(repr, held)) == sorted(repr(tuple(row.values())) for row in after), name
    assert archive.rows("select 1 from README")


def test_it_is_then_as_one_of_today(earlier: Path) -> None:
    assert check(Archive.open(earlier), Bins(load("embedded").measures)) == ()


def test_it_is_migrated_once(earlier: Path) -> None:
    Archive.open(earlier).close()
    first = rows(earlier)
    Archive.open(earlier, write=True).close()
    assert rows(earlier) == first


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_every_verb_reads_it(verb: list[str], earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*verb, "--json", "--db", str(earlier)]) == 0
    assert json.loads(capsys.readouterr().out)
    assert run([*verb, "--db", str(earlier)]) == 0
    assert capsys.readouterr().err == ""


def test_what_the_verbs_say_is_what_it_held(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = {name: [dict(zip(columns, row)) for row in found] for name, (columns, found) in rows(earlier).items()}
    assert run(["status", "--json", "--db", str(earlier)]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["best"]["method"] == held["runs"][0]["champion"]
    assert status["methods"] == len(held["methods"])
    assert status["spent"]["calls"] == sum(int(str(row["calls"])) for row in held["spend"]) == 2
    assert run(["lineage", "--json", "--db", str(earlier)]) == 0
    ancestors = {one["method"]: one["parents"] for one in json.loads(capsys.readouterr().out)["ancestors"]}
    parents = {row["method"]: json.loads(str(row["parents"])) for row in held["proposals"] if row["method"]}
    assert {method: found for method, found in ancestors.items() if found} == {m: parents[m] for m in ancestors if m in parents}


def test_it_can_be_written_to(earlier: Path) -> None:
    with closing(Archive.open(earlier, write=True)) as archive:
        before = len(archive.rows("select 1 from events"))
        archive.event("note", "written by today's evolve")
        archive.journal("session", config="{}")
        assert len(archive.rows("select 1 from events")) == before + 1
        assert archive.entries()[-1].config == "{}"
