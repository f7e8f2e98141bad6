"""Outputs of a run: each run has names of its own, and nothing is written over an archive or over what another has written."""

from __future__ import annotations

import json
import os
import shutil
import stat
from contextlib import closing
from pathlib import Path

import pytest

import evolve
from archives.archive import Archive
from evolve.cli import run
from evolve.errors import UsageError
from evolve.files import beside, mark, newest_runs, refusal, run_name, write_text
from tests.support.example_run import build

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
KINDS = ("html", "md", "json")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("made") / "made.db", 6)


@pytest.fixture
def db(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path / "run.db"))


def another(db: Path, path: Path) -> Path:
    """Copy an archive as that of another run."""
    shutil.copy(db, path)
    with closing(Archive.open(path, write=True)) as archive:
        archive.update_run(id=f"another-{path.name}")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("one", "two"), [("exp.lr0.1", "exp.lr0.2"), ("exp", "exp.db"), ("a.b.db", "a.c.db"), ("run.html", "run")]
)
def test_two_runs_with_like_names_each_have_a_report_a_best_file_and_a_folder(
    one: str, two: str, db: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    found: list[set[Path]] = []
    for name in (one, two):
        path = another(db, folder / name)
        before = contents(folder)
        for verb in (["report"], ["report", "--format", "md"], ["report", "--format", "json"], ["export"]):
            assert run([*verb, "--db", str(path)]) == 0
        with closing(Archive.open(path)) as archive:
            best = evolve.open_run(path).export(beside(path, "-best.py", archive.run().key))
        after = contents(folder)
        assert {file: after[file] for file in before} == before, "nothing of the other run, and no archive, has changed"
        found.append({folder / file for file in after.keys() - before.keys()} | {best})
    assert len(found[0]) == len(found[1]) > 4
    assert not found[0] & found[1]


@pytest.mark.thorough
def test_a_run_writes_its_own_outputs_again_in_their_place(db: Path, tmp_path: Path) -> None:
    words = [["report", "--format", kind] for kind in KINDS] + [["export"]]
    for _ in range(2):
        for verb in words:
            assert run([*verb, "--db", str(db)]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert {"run.html", "run.md", "run.json", "run-methods"} <= names
    assert not [name for name in names if "-2" in name]
    assert json.loads((tmp_path / "run.json").read_text())["standing"]["run"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", ["run.db", "run.db-wal", "run.db-shm", "run.db.lock", "run.db-journal", "notes.html", "link", "pipe", "linked.db"]
)
@pytest.mark.parametrize("kind", ["html", "json"])
def test_no_report_is_written_over_an_archive_or_what_lies_beside_it_or_a_strangers_file(
    name: str, kind: str, db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.html").write_text("<p>mine</p>")
    (tmp_path / "link").symlink_to(tmp_path / "notes.html")
    (tmp_path / "linked.db").hardlink_to(db)
    os.mkfifo(tmp_path / "pipe")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "pipe"}
    assert run(["report", "--format", kind, "--db", str(db), "--out", str(tmp_path / name)]) == 2
    assert "name another" in capsys.readouterr().err
    assert {path: (tmp_path / path).read_bytes() for path in before} == before


@pytest.mark.thorough
def test_an_output_of_another_run_is_not_replaced(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other, page = another(db, tmp_path / "other.db"), tmp_path / "page.html"
    assert run(["report", "--db", str(other), "--out", str(page)]) == 0
    assert run(["report", "--db", str(db), "--out", str(page)]) == 2
    assert "no output of this run" in capsys.readouterr().err
    assert run(["report", "--db", str(other), "--out", str(page)]) == 0
    (tmp_path / "out").mkdir()
    assert run(["export", "--db", str(other), "--out", str(tmp_path / "out")]) == 0
    before = contents(tmp_path / "out")
    assert run(["export", "--db", str(db), "--out", str(tmp_path / "out")]) == 2
    assert contents(tmp_path / "out") == before


def test_a_file_that_quotes_an_output_is_none(tmp_path: Path) -> None:
    """The page of a run that began with another's best method holds that method with its mark, behind its own."""
    quoting = tmp_path / "page.html"
    quoting.write_text(f"<!-- {mark(OTHER)} --> <pre># A method exported by evolve ({mark(KEY)}).</pre>")
    archive = tmp_path / "some.db"
    archive.write_bytes(b"SQLite format 3\x00" + mark(KEY).encode())
    for path in (quoting, archive):
        with pytest.raises(UsageError, match="no output of this run"):
            write_text(path, "new", KEY)
    assert not refusal(quoting, OTHER)


def test_the_name_of_a_run_is_its_archives_whole_name_but_for_the_ending() -> None:
    names = {"exp.lr0.1": "exp.lr0.1", "exp.lr0.1.db": "exp.lr0.1", "run.html": "run.html", ".db": ".db", "a": "a"}
    assert {name: run_name(Path(name)) for name in names} == names


@pytest.mark.thorough
def test_what_a_run_writes_can_be_read_by_its_owner_only(db: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "er"
    for verb in (["report", "--out", str(out / "page.html")], ["export", "--out", str(out / "methods")]):
        assert run([*verb, "--db", str(db)]) == 0
    assert run(["archive", "backup", str(out / "copy.db"), "--db", str(db)]) == 0
    Archive.create(out / "new" / "run.db").close()
    for path in [tmp_path / "deep", *(tmp_path / "deep").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_an_archive_and_what_sqlite_keeps_beside_it_are_private_from_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archives.schema import migrations

    seen, migrate = dict[str, int](), migrations.migrate

    def watched(connection: object) -> None:
        seen.update({path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()})
        migrate(connection)  # type: ignore[arg-type]
        seen.update({path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()})

    monkeypatch.setattr(migrations, "migrate", watched)
    with closing(Archive.create(tmp_path / "run.db")):
        assert {"run.db", "run.db-wal", "run.db-shm"} <= seen.keys()
    assert set(seen.values()) == {0o600}


def test_what_lies_in_runs_and_is_no_archive_is_passed_over(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "runs"
    runs.mkdir()
    shutil.move(db, runs / "run.db")
    (runs / "dangling.db").symlink_to(tmp_path / "gone.db")
    (runs / "folder.db").mkdir()
    os.mkfifo(runs / "pipe.db")
    (runs / "text.db").write_text("none")
    (runs / "empty.db").touch()
    (runs / "closed.db").touch(0o000)
    (runs / "loop.db").symlink_to(runs / "loop.db")
    assert [path.name for path in newest_runs()] == ["run.db"]
    for verb in ("status", "top", "lineage", "report"):
        assert run([verb]) == 0
    shown = capsys.readouterr()
    assert "run.db" in shown.out
    assert "Traceback" not in shown.err


@pytest.mark.parametrize("name", ["new.db-wal", "new.db-shm", "new.db-journal", "new.db.lock", "new-wal"])
@pytest.mark.parametrize(
    "verb", ["report --out", "report --format json --out", "export --out", "archive backup", "archive merge DB OTHER --out"]
)
def test_nothing_takes_a_name_that_belongs_to_an_archive_that_is_still_to_come(
    name: str, verb: str, db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = verb.replace("DB", str(db)).replace("OTHER", str(another(db, tmp_path / "other.db"))).split()
    which = [] if "merge" in verb else ["--db", str(db)]
    assert run([*words, str(tmp_path / name), *which]) == 2
    assert "belongs to the archive" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["copy.db-wal", "copy.db.lock", "copy.db-shm"])
def test_no_copy_takes_a_name_that_belongs_to_an_archive(
    name: str, db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(db, tmp_path / "copy.db")
    assert run(["archive", "backup", str(tmp_path / name), "--db", str(db), "--force"]) == 2
    assert "belongs to the archive" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


@pytest.mark.thorough
def test_force_replaces_an_earlier_copy_and_no_other_run(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = another(db, tmp_path / "other.db")
    before = other.read_bytes()
    assert run(["archive", "backup", str(other), "--db", str(db), "--force"]) == 2
    assert "holds another run" in capsys.readouterr().err
    assert run(["archive", "merge", str(db), str(another(db, tmp_path / "third.db")), "--out", str(other), "--force"]) == 2
    assert other.read_bytes() == before
    for _ in range(2):
        assert run(["archive", "backup", str(tmp_path / "copy.db"), "--db", str(db), "--force"]) == 0


def test_an_archive_of_an_earlier_version_that_names_a_baseline_its_champion_announces_none(db: Path, tmp_path: Path) -> None:
    with closing(Archive.open(db, write=True)) as archive:
        seed = archive.rows("select id from methods where name = 'lda'")[0]["id"]
        archive.update_run(champion=seed, verdict="shown: lda beats the human best, auxconf")
        archive.event("verdict", "shown: lda beats the human best, auxconf", None, str(seed), 0.2)
    opened = evolve.open_run(db)
    assert (opened.status()["champion"], opened.final_table(), opened.method().origin) == ("", [], "search")
    assert run(["report", "--db", str(db), "--format", "md", "--out", str(tmp_path / "page.md")]) == 0
    assert "lda beats" not in (tmp_path / "page.md").read_text().split("## ")[0]
