"""Looking at what is no run, or hardly one: a sentence and exit 2, and the file as it was."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.nouns import RunRecord
from evolve.cli import run as evolve
from evolve.runs.process import only_writer
from tests.support.example_run import build

VERBS = (
    ["status"], ["top"], ["show"], ["diff"], ["lineage"], ["map"], ["failures"], ["costs"], ["find", "x"],
    ["report", "--out", "-"],
)  # fmt: skip
NAMED = [" ".join(verb) for verb in VERBS]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("runs") / "whole.db", 8)


def text_file(path: Path, whole: Path) -> str:
    path.write_text("not a database " * 500)
    return "not a database"


def empty_file(path: Path, whole: Path) -> str:
    path.write_bytes(b"")
    return "is not an archive of evolve"


def folder(path: Path, whole: Path) -> str:
    path.mkdir()
    return "there is no archive at"


def missing(path: Path, whole: Path) -> str:
    return "there is no archive at"


def truncated(path: Path, whole: Path) -> str:
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    return "cannot use"


def torn(path: Path, whole: Path) -> str:
    held = bytearray(whole.read_bytes())
    held[4096 : 4096 * 4] = b"\xa5" * (4096 * 3)
    path.write_bytes(held)
    return "cannot use"


def of_someone_else(path: Path, whole: Path) -> str:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("create table songs (id integer primary key, name text)")
    return "is not an archive of evolve"


def with_tables_of_the_same_name(path: Path, whole: Path) -> str:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("create table runs (id integer primary key, athlete text)")
        db.execute("create table evaluations (id integer primary key, mark real)")
    return "is not an archive of evolve"


def of_a_newer_evolve(path: Path, whole: Path) -> str:
    shutil.copy(whole, path)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("insert into _sqlite_migrations (migration_set, name, applied_at) values ('evolve', 'm999_moods', 'later')")
    return "newer evolve"


WRONG: list[Callable[[Path, Path], str]] = [
    text_file, empty_file, folder, missing, truncated, torn, of_someone_else, with_tables_of_the_same_name, of_a_newer_evolve,
]  # fmt: skip


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def settle(path: Path) -> None:
    """Leave what a fixture wrote in the file itself, not beside it."""
    if path.is_file() and path.read_bytes()[:6] == b"SQLite":
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as db:
            db.execute("pragma journal_mode = delete")


@pytest.mark.parametrize("make", WRONG, ids=lambda make: make.__name__)
@pytest.mark.parametrize("verb", VERBS, ids=NAMED)
def test_what_is_no_run_is_a_sentence_and_stays_as_it_was(
    verb: list[str], make: Callable[[Path, Path], str], whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "it.db"
    sentence = make(path, whole)
    if make not in (torn, truncated):
        settle(path)
    before = digest(path)
    code = evolve([*verb, "--db", str(path)])
    said = capsys.readouterr()
    if make is torn and code == 0:
        assert not said.err  # the torn pages are none that this verb reads
    else:
        assert code == 2, said
        assert sentence in said.err
        assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    assert digest(path) == before
    beside = [one for one in tmp_path.iterdir() if one != path]
    assert {one.name for one in beside} <= {"it.db-wal", "it.db-shm"}, "SQLite's own, of a reader"
    assert not any(one.stat().st_size for one in beside if one.name.endswith("-wal"))


def nothing(path: Path) -> None:
    """Write a run that was begun, and no more."""
    archive = Archive.create(path)
    archive.add_run(RunRecord("it", "now", "embedded", "1", "v", "{}", 0, "running", "A", "0"))
    archive.close()


def one_method(path: Path) -> None:
    """Write a run that has judged one seed."""
    build(path, 0, finished=False)
    keep(path, "select min(rowid) from methods where origin = 'seed'")


def all_failed(path: Path) -> None:
    """Write a run in which everything failed."""
    build(path, 6, finished=False)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("update evaluations set status = 'CRASHED', fitness = null, pgr = null, message = 'it failed'")
        db.execute("update proposals set placement = 'REJECTED' where placement is not null")
        db.execute("delete from elites")


def keep(path: Path, rows: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"create temp table kept as select id from methods where rowid in ({rows})")
        for table in ("elites", "evaluations"):
            if table == "evaluations":
                db.execute("delete from trials where evaluation in (select id from evaluations where method not in kept)")
            db.execute(f"delete from {table} where method not in kept")
        db.execute("delete from events where method not in kept")
        db.execute("delete from methods where id not in kept")


@pytest.mark.parametrize("make", [nothing, one_method, all_failed], ids=lambda make: make.__name__)
@pytest.mark.parametrize("verb", VERBS, ids=NAMED)
def test_a_run_that_is_hardly_one_is_shown_or_a_sentence(
    verb: list[str], make: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "it.db"
    make(path)
    settle(path)
    before = digest(path)
    code = evolve([*verb, "--db", str(path)])
    said = capsys.readouterr()
    assert code in (0, 2), said
    assert bool(said.out.strip()) == (code == 0)
    assert bool(said.err) == (code == 2)
    if code == 2:
        assert verb[0] in ("show", "diff", "lineage")
        assert said.err.count("\n") == 1
    assert digest(path) == before


def bred_nothing(folder: Path, state: str) -> Path:
    db = build(folder / "none.db", 0, finished=False)
    with closing(Archive.open(db, write=True)) as archive:
        archive.update_run(state=state)
    return db


@pytest.mark.parametrize("verb", [["export"], ["show"], ["credit"]])
@pytest.mark.parametrize(
    ("state", "advice"), [("finished", "give it a larger budget with `resume`"), ("interrupted", "go on with `resume`")]
)
def test_nobody_is_told_to_wait_for_a_run_that_is_over(
    verb: list[str], state: str, advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = bred_nothing(tmp_path, state)
    assert evolve([*verb, "--db", str(db)]) == 2
    told = capsys.readouterr().err
    assert advice in told
    assert "wait" not in told


def test_who_asks_a_run_at_work_for_what_it_has_not_bred_is_told_to_wait(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = bred_nothing(tmp_path, "running")
    with only_writer(db):
        assert evolve(["export", "--db", str(db)]) == 2
    assert "wait a moment" in capsys.readouterr().err


def test_credit_of_a_seed_says_that_it_is_one(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evolve(["credit", "lda", "--db", str(whole)]) == 2
    assert "lda is a seed and was not bred" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [[], ["--dry-run"]])
@pytest.mark.parametrize("what", ["file", "link", "archive's parent"])
def test_start_says_at_once_that_its_folder_is_none(
    flags: list[str], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if what == "link":
        Path("runs").symlink_to("nowhere")
    else:
        Path("runs").write_text("")
    own = ["--db", "runs/deep/x.db"] if what == "archive's parent" else []
    assert evolve(["start", *flags, *own]) == 2
    told = capsys.readouterr().err
    assert "runs is there and is no folder: move it away" in told or (own and "Not a directory" in told)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_dry_run_refuses_the_name_of_a_run_that_is_there(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evolve(["start", "--dry-run", "--db", str(whole)]) == 2
    assert "already exists" in capsys.readouterr().err
