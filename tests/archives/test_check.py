"""archive check and archive backup: what is broken is named, a copy is whole, and nothing is ever damaged."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.grid import Bins
from archives.maintenance.check import check
from archives.nouns import ArchiveError
from archives.sqlite import connection
from evolve.cli import run
from fitness.tasks import load
from tests.support import hostile
from tests.support.example_run import build

GRID = Bins(load("embedded").measures)
BROKEN = {
    "delete from runs": ("one run", "holds 0 runs"),
    "update runs set champion = 'nobody'": ("the champion is known", "names the method nobody"),
    "update elites set method = 'ghost' where island = 0": ("elites are methods", "is the method ghost"),
    "update methods set flags = 'canary' where id in (select method from elites)": ("elites carry no flag", "is flagged"),
    "update elites set fitness = fitness + 1e-9": ("elites have the fitness of their evaluation", "which no dev evaluation"),
    "update evaluations set fitness = 9e999 where id = 1": ("fitness is finite", "evaluation 1 "),
    "update evaluations set status = 'CRASHED' where id = 2": ("a failure has no score", "evaluation 2 "),
    "delete from trials where evaluation = 3 and place = 0": ("evaluations hold their trials", "says 10 trials, but"),
    "update proposals set method = null where state = 'done'": ("what is done was judged", "it became no method"),
    "update evaluations set proposal = null": ("what is done has an evaluation", "no evaluation of its method"),
    "update proposals set parents = '[\"ghost\"]' where id = 7": ("parents are known", "proposal 7 names the parent ghost"),
    "update spend set tokens_in = -1": ("spending is never negative", "cannot be summed"),
    "insert into spend select id + 1, at, proposal, kind, model, calls, tokens_in, tokens_out, usd, seconds, cached, "
    "reasoning, turn, reply, problem, worst_tokens, worst_usd from spend": ("no reply is paid twice", "2 answers"),
    "drop view costs; create view costs as select 'm' as model, 1 as calls, 9.0 as usd": ("spending adds up", "9.0 dollars"),
    "update arm_totals set tried = tried + 1": ("arms add up", "has totals that its proposals and calls do not come to"),
    "delete from direction_totals": ("directions add up", "has totals that its proposals do not come to"),
    "insert into journal (step, proposal) values ('judge', 999)": ("the journal knows its proposals", "step of proposal 999"),
    "insert into journal (step, method) values ('seed', 'ghost')": ("the journal knows its methods", "the method ghost"),
    "update elites set cell = 9999 where (island, cell) = (select island, cell from elites limit 1)": (
        "elites are in their own cell", "belongs to cell",
    ),
    "update evaluations set measures = '{}'": ("elites are in their own cell", "no measures"),
    "drop view leaderboard": ("the schema", "the view leaderboard is missing"),
    "drop view cells; create view cells as select 1 as method": ("the schema", "the view cells is not as evolve makes it"),
    "create trigger t after update on runs begin delete from methods; end": ("the schema", "the trigger t is none of evolve's"),
    "alter table looks add column more text": ("the schema", "the table looks is not as evolve makes it"),
    "delete from directions": ("the file", "refers to a row of directions that is not there"),
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = hostile.example(tmp_path_factory.mktemp("base") / "run.db")
    hostile.script(path, "delete from probes; update methods set flags = ''")
    return path


@pytest.fixture
def db(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(base, tmp_path / "run.db"))


def broken(path: Path) -> dict[str, str]:
    with closing(Archive.open(path)) as archive:
        return {one.rule: one.sentence for one in reversed(check(archive, GRID))}


def test_a_whole_archive_has_no_violation(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = db.read_bytes()
    assert run(["archive", "check", "--db", str(db)]) == 0
    assert "Nothing is wrong." in capsys.readouterr().out
    assert run(["archive", "check", "--db", str(db), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"db": str(db), "violations": [], "note": ""}
    assert db.read_bytes() == before


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: BROKEN[change][0])
def test_what_does_not_hold_is_a_sentence(change: str, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule, sentence = BROKEN[change]
    hostile.script(db, f"pragma foreign_keys = off; {change}")
    assert sentence in broken(db)[rule]
    assert run(["archive", "check", "--db", str(db)]) == 2
    out = capsys.readouterr().out
    assert sentence in " ".join(out.split())
    assert max(map(len, out.replace(str(db), "").splitlines())) <= 80


def test_many_violations_of_a_rule_are_counted(db: Path) -> None:
    hostile.script(db, "update evaluations set trials = 99")
    with closing(Archive.open(db)) as archive:
        sentences = [one.sentence for one in check(archive, GRID)]
        more = len(archive.evaluations()) - 20
    assert len(sentences) == 21
    assert sentences[-1] == f"{more} more like the last"


def test_a_task_that_is_not_known_here_is_said(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile.script(db, "update runs set task = 'elsewhere'")
    assert run(["archive", "check", "--db", str(db)]) == 0
    assert "no task named 'elsewhere'" in capsys.readouterr().out


def test_a_damaged_page_is_found_and_not_copied(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = db.stat().st_size
    with closing(sqlite3.connect(db)) as held:
        page = held.execute("select rootpage from sqlite_master where name = 'evaluations_method'").fetchone()[0]
    with open(db, "r+b") as file:
        file.seek((page - 1) * 4096 + 8)
        file.write(b"\xff" * 2000)
    whole = db.read_bytes()
    assert run(["archive", "check", "--db", str(db)]) == 2
    shown = capsys.readouterr()
    assert "damage" in shown.out + shown.err
    copy = tmp_path / "copy.db"
    assert run(["archive", "backup", str(copy), "--db", str(db)]) == 2
    assert "is damaged" in capsys.readouterr().err
    assert not copy.exists()
    assert (db.read_bytes(), db.stat().st_size) == (whole, size)


@pytest.mark.parametrize("verb", [["check"], ["backup", "copy.db"]])
def test_what_is_no_archive_is_a_sentence(
    verb: list[str], base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.db").write_text("hello" * 1000)
    Path("empty.db").write_bytes(b"")
    Path("cut.db").write_bytes(base.read_bytes()[: base.stat().st_size // 2])
    with closing(sqlite3.connect("other.db")) as other:
        other.execute("create table x (y)")
    sentences = {
        "none.db": "there is no archive at", "text.db": "not a database", "empty.db": "not an archive of evolve",
        "cut.db": "damaged", "other.db": "not an archive of evolve", ".": "there is no archive at",
    }  # fmt: skip
    for name, sentence in sentences.items():
        before = Path(name).read_bytes() if Path(name).is_file() else b""
        assert run(["archive", *verb, "--db", name]) == 2
        err = capsys.readouterr().err
        assert sentence in err
        assert err.count("\n") == 1
        assert not before or Path(name).read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["cut.db", "empty.db", "other.db", "text.db"]


def test_hostile_archives_are_checked_to_the_end(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile.names_and_ids(db)
    assert run(["archive", "check", "--db", str(db)]) == 2
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "the table methods is not as evolve makes it" in out


@pytest.mark.parametrize("view", hostile.VIEWS)
def test_views_of_a_strangers_are_named_and_bounded(
    view: str, db: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 0.2)
    hostile.script(db, f"pragma foreign_keys = off; {hostile.VIEWS[view]}")
    before = db.read_bytes()
    assert run(["archive", "check", "--db", str(db)]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1 if shown.err else "is missing" in shown.out or "evolve" in shown.out
    assert "\x1b" not in shown.out
    assert db.read_bytes() == before


@pytest.mark.parametrize("change", ["drop view costs", "drop table journal", "drop table spend"])
def test_what_cannot_be_checked_is_a_violation(change: str, db: Path) -> None:
    hostile.script(db, f"pragma foreign_keys = off; {change}")
    found = broken(db)
    assert any("could not be checked" in sentence for sentence in found.values())
    assert "missing" in found["the schema"]


# copies


def test_a_copy_of_a_live_run_is_whole_and_holds_what_was_committed(tmp_path: Path) -> None:
    path, copy = build(tmp_path / "live.db", 30, finished=False), tmp_path / "copy.db"
    writer = Archive.open(path, write=True)
    writer.event("note", "before the copy")
    with writer.transaction():
        writer.event("note", "not yet committed")
        assert run(["archive", "backup", str(copy), "--db", str(path)]) == 0
    writer.event("note", "after the copy")
    writer.close()
    assert broken(copy) == {}
    with closing(Archive.open(copy)) as archive:
        assert [row["text"] for row in archive.rows("select text from events where kind = 'note'")] == ["before the copy"]
        assert len(archive.methods()) == len(Archive.open(path).methods())
    assert {path.name for path in tmp_path.iterdir() if "copy" in path.name} <= {"copy.db", "copy.db-shm", "copy.db-wal"}


def test_a_copy_of_an_older_archive_is_not_migrated(db: Path, tmp_path: Path) -> None:
    hostile.script(db, "delete from _sqlite_migrations where name not like 'm001%'")
    assert run(["archive", "backup", str(tmp_path / "copy.db"), "--db", str(db)]) == 0
    with closing(sqlite3.connect(tmp_path / "copy.db")) as held:
        assert [name for (name,) in held.execute("select name from _sqlite_migrations")] == ["m001_tables_and_views"]


def test_nothing_is_replaced_unless_it_is_asked_for(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine.db"
    mine.write_text("precious")
    (tmp_path / "mine.db-wal").write_text("of another file")
    assert run(["archive", "backup", str(mine), "--db", str(db)]) == 2
    assert "already exists" in capsys.readouterr().err
    assert mine.read_text() == "precious"
    assert run(["archive", "backup", str(mine), "--db", str(db), "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"db": str(db), "copy": str(mine), "bytes": mine.stat().st_size}
    assert broken(mine) == {}


def test_a_link_is_replaced_and_not_followed(db: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "link.db").symlink_to(tmp_path / "precious")
    assert run(["archive", "backup", str(tmp_path / "link.db"), "--db", str(db)]) == 2
    assert run(["archive", "backup", str(tmp_path / "link.db"), "--db", str(db), "--force"]) == 0
    assert (tmp_path / "precious").read_text() == "mine"
    assert broken(tmp_path / "link.db") == {}


def test_places_that_take_no_copy_are_sentences(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import fcntl

    before = db.read_bytes()
    (tmp_path / "again.db").hardlink_to(db)
    (tmp_path / "live.db").write_bytes(before)
    with open(tmp_path / "live.db.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for place, sentence in {
            str(tmp_path): "is a folder",
            str(db): "is the archive itself",
            str(tmp_path / "again.db"): "is the archive itself",
            str(tmp_path / "live.db"): "a run is going on",
            str(tmp_path / "no" / "copy.db"): "No such file or directory",
            "/proc/copy.db": "cannot write /proc/copy.db",
        }.items():
            assert run(["archive", "backup", place, "--db", str(db), "--force"]) == 2
            assert sentence in capsys.readouterr().err
    assert db.read_bytes() == before


@pytest.fixture
def read_only(root: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a verb where no file can be written but under one folder, if one is named."""
    bwrap = shutil.which("bwrap")
    walls = [str(bwrap), "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    if bwrap is None or subprocess.run([*walls, "true"], capture_output=True).returncode:
        pytest.skip("archives on a read-only disk (needs bubblewrap)")

    def verb(*words: str, writable: Path | None = None) -> subprocess.CompletedProcess[str]:
        hole = ["--bind", str(writable), str(writable)] if writable else []
        command = [*walls, *hole, sys.executable, "-m", "evolve", *words]
        return subprocess.run(command, cwd=root, capture_output=True, text=True)

    return verb


@pytest.mark.thorough
@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_an_archive_on_a_read_only_disk_can_be_read_and_copied(
    mode: str, db: Path, tmp_path: Path, read_only: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    hostile.script(db, f"pragma journal_mode = {mode}")
    before = db.read_bytes()
    assert "Nothing is wrong." in read_only("archive", "check", "--db", str(db)).stdout
    assert "leaderboard" not in read_only("status", "--db", str(db)).stderr
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    assert read_only("archive", "backup", str(folder / "copy.db"), "--db", str(db), writable=folder).returncode == 0
    assert broken(folder / "copy.db") == {}
    for words in (
        ["archive", "backup", str(tmp_path / "copy.db")],
        ["archive", "regrid", "--grid", "cvt"],
        ["seed", "add", __file__],
    ):
        done = read_only(*words, "--db", str(db))
        assert done.returncode == 2
        assert "cannot" in done.stderr
        assert done.stderr.count("\n") == 1
    hostile.script(db, "drop view costs")
    damaged = db.read_bytes()
    done = read_only("archive", "check", "--repair", "--db", str(db))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert (damaged, before != damaged) == (db.read_bytes(), True)


def test_an_older_archive_on_a_read_only_disk_is_a_sentence(
    tmp_path: Path, read_only: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    db = Path(shutil.copy(Path(__file__).parent / "earlier" / "m004.db", tmp_path / "run.db"))
    before = db.read_bytes()
    done = read_only("status", "--db", str(db))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "written by an earlier evolve" in done.stderr
    assert "copy it to a folder" in done.stderr
    assert db.read_bytes() == before


def test_changes_that_lie_in_a_log_on_a_read_only_disk_are_not_passed_over(
    tmp_path: Path, read_only: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    live, db = build(tmp_path / "live.db", 6, finished=False), tmp_path / "run.db"
    with closing(Archive.open(live, write=True)) as writer:
        writer.event("note", "only in the log")
        shutil.copy(live, db)
        shutil.copy(f"{live}-wal", f"{db}-wal")
    done = read_only("status", "--db", str(db))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "its last changes are still in run.db-wal" in done.stderr
    assert "copy both files to a folder that can be written" in done.stderr


def test_backup_in_python_refuses_too(tmp_path: Path) -> None:
    from archives.maintenance.backup import backup

    with pytest.raises(ArchiveError, match="there is no archive"):
        backup(tmp_path / "none.db", tmp_path / "copy.db")
