"""archive regrid: a run onto another grid, its elites found again, and all that uses the grid afterwards."""

from __future__ import annotations

import fcntl
import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from archives.grid import Voronoi
from archives.maintenance.check import check
from archives.nouns import Elite
from evolve.cli import run
from evolve.grids import grid_of
from evolve.runs.checks import stored_config
from tests.support import earlier_schemas, hostile, simulated, tiny


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated search with migrations and resets."""
    folder = tmp_path_factory.mktemp("searched")
    simulated.search(folder, 11, 60, migrate_every=4, reset_every=25)
    with closing(Archive.open(folder / "run.db", write=True)) as archive:
        config = json.loads(archive.run().config) | {"task": "embedded"}
        archive.update_run(task="embedded", config=json.dumps(config))
    return folder / "run.db"


@pytest.fixture
def db(searched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(searched, tmp_path / "run.db"))


def elites(path: Path) -> list[Elite]:
    with closing(Archive.open(path)) as archive:
        return archive.elites()


def violations(path: Path) -> object:
    with closing(Archive.open(path)) as archive:
        return check(archive, grid_of(archive))


def regrid(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["archive", "regrid", "--db", str(path), "--json", *words]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_there_and_back_again_gives_the_same_elites(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = elites(db)
    found = regrid(capsys, db, "--measures", "confidence, size,teacher_agreement")
    assert found["kept"] == f"{db}.backup"
    assert found["cells"] == 10 * 6 * 16
    assert elites(Path(f"{db}.backup")) == before
    assert elites(db) != before
    assert violations(db) == ()
    back = regrid(capsys, db, "--measures", "teacher_agreement,size")
    assert back["kept"] == f"{db}.backup1"
    assert elites(db) == before
    assert violations(db) == ()
    with closing(Archive.open(db)) as archive:
        assert [row["kind"] for row in archive.rows("select kind from events order by id desc limit 2")] == ["regrid"] * 2


def test_other_edges_and_voronoi_cells(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert regrid(capsys, db, "--edges", "size=7:11:2", "--edges", "teacher_agreement=.5:.8:3")["cells"] == 6
    assert {elite.cell for elite in elites(db)} <= set(range(6))
    words = ("--grid", "cvt", "--cells", "7", "--measures", "teacher_agreement,size,confidence,positive_rate")
    assert regrid(capsys, db, *words)["cells"] == 7
    assert violations(db) == ()
    with closing(Archive.open(db)) as archive:
        config, grid = stored_config(archive), grid_of(archive)
    assert (config.grid, config.cells, len(config.measures)) == ("cvt", 7, 4)
    assert isinstance(grid, Voronoi)


def test_into_another_file_leaves_the_run_as_it_was(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = db.read_bytes()
    out = tmp_path / "other.db"
    found = regrid(capsys, db, "--out", str(out), "--grid", "cvt")
    assert (found["db"], found["kept"]) == (str(out), str(db))
    assert db.read_bytes() == before
    assert violations(out) == ()
    assert run(["archive", "regrid", "--db", str(db), "--out", str(out)]) == 2
    assert "already exists" in capsys.readouterr().err


def test_what_was_never_recorded_is_named(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(Archive.open(db)) as archive:
        lost = max(archive.elites(), key=lambda elite: elite.fitness).method
    change = "update evaluations set measures = json_remove(measures, '$.confidence') where method = "
    hostile.script(db, f"{change}'{lost}'")
    found = regrid(capsys, db, "--measures", "size,confidence")
    assert found["missing"] == {lost: "confidence"}
    assert lost not in {elite.method for elite in elites(db)}
    regrid(capsys, db, "--measures", "size,teacher_agreement")
    assert run(["archive", "regrid", "--db", str(db), "--measures", "size,confidence"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"confidence was never recorded of {lost[:8]}: they lie in no cell." in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--measures", "size,agreement"], "'agreement' is no measure of embedded"),
        (["--measures", "size"], "needs two measures or more"),
        (["--measures", "size,confidence,positive_rate,teacher_agreement"], "take Voronoi cells"),
        (["--edges", "size=7:11"], "--edges takes NAME=LOW:HIGH:BINS"),
        (["--edges", "size=11:7:3"], "LOW must lie below HIGH"),
        (["--edges", "size=nan:7:3"], "LOW must lie below HIGH"),
        (["--edges", "weight=1:7:3"], "'weight' is no measure"),
    ],
)
def test_a_grid_that_cannot_be_made_changes_nothing(
    words: list[str], sentence: str, db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = db.read_bytes()
    assert run(["archive", "regrid", "--db", str(db), *words]) == 2
    assert sentence in capsys.readouterr().err
    assert db.read_bytes() == before
    assert not Path(f"{db}.backup").exists()


def test_an_old_run_that_recorded_none_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = Path(shutil.copy(earlier_schemas.FOLDER / "m004.db", tmp_path / "run.db"))
    before = elites(db)
    assert run(["archive", "regrid", "--db", str(db), "--measures", "size,confidence"]) == 2
    assert "confidence was never recorded; choose other measures" in capsys.readouterr().err
    assert elites(db) == before
    assert not Path(f"{db}.backup").exists()
    assert regrid(capsys, db, "--edges", "size=7:11:4")["missing"] == {}
    assert violations(db) == ()


def test_runs_of_one_grid_are_merged_and_others_are_not(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other, out = Path(shutil.copy(db, tmp_path / "other.db")), tmp_path / "merged.db"
    words = ("--grid", "cvt", "--cells", "9")
    regrid(capsys, other, *words)
    assert run(["archive", "merge", str(db), str(other), "--out", str(out)]) == 2
    assert "its grid has other cells; `python -m evolve archive regrid` gives both the same" in capsys.readouterr().err
    regrid(capsys, db, *words)
    assert run(["archive", "merge", str(db), str(other), "--out", str(out)]) == 0
    assert elites(out) == elites(db)
    assert violations(out) == ()


def test_a_run_that_goes_on_is_left_alone(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(f"{db}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run(["archive", "regrid", "--db", str(db), "--grid", "cvt"]) == 2
    assert "another process is working on" in capsys.readouterr().err
    assert not Path(f"{db}.backup").exists()


@pytest.mark.thorough
def test_a_run_goes_on_with_its_new_grid_and_is_replayed_on_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)
    settings = ["--set", "migrate_every=3", "--set", "islands=2"]
    assert run(["start", *tiny.SMALL, "--evals", "6", "--db", "run.db", *settings]) == 0
    regrid(capsys, Path("run.db"), "--grid", "cvt", "--cells", "12", "--measures", "confidence,size,positive_rate")
    assert run(["resume", "--db", "run.db", "--evals", "+4"]) == 0
    assert violations(Path("run.db")) == ()
    assert {elite.cell for elite in elites(Path("run.db"))} <= set(range(12))
    with closing(Archive.open(Path("run.db"))) as archive:
        assert [entry.step for entry in archive.entries()].count("regrid") == 1
        assert archive.judged() == 10
    capsys.readouterr()
    assert run(["replay", "--db", "run.db", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"] is True
