"""A search on a user's own data: it is named again to go on, and what has changed since is said."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pytest

import evolve
from archives.archive import Archive
from evolve.cli import run
from fitness import tasks
from fitness.nouns import EvolveError

SMALL = ["--device", "cpu", *(w for s in ("dev_instances=4", "fresh_instances=2", "finalists=1") for w in ("--set", s))]


@pytest.fixture(autouse=True)
def _forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command is a process of its own to its user."""
    monkeypatch.setattr(tasks, "_ADMITTED", {})
    monkeypatch.setattr(tasks, "_DATA_NAMED", [])


def arrays(seed: int = 1) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((900, 8))
    truth = (x @ rng.standard_normal((8, 3))).argmax(1)
    weak = 0.6 * np.eye(3)[np.where(rng.random(900) < 0.4, rng.integers(3, size=900), truth)] + 0.4 / 3
    return {"features": x[:400], "weak": weak[:400]}, {"features": x[400:], "labels": truth[400:], "teacher": weak[400:]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("own") / "data"
    (place / "mine").mkdir(parents=True)
    for stem, found in zip(("train", "test"), arrays()):
        np.savez(place / "mine" / f"{stem}.npz", **found)  # type: ignore[arg-type]  # numpy takes arrays by name
    return place


@pytest.fixture(scope="module")
def recorded(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the data, which the tests copy."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("vault")
        patch.setenv("EVOLVE_HOME", str(home))
        db = home / "run.db"
        chosen = ["--set", "classes=balanced", "--set", "normalise=false"]
        assert run(["start", "--task", "w2s", "--data", str(folder), "--evals", "2", *chosen, *SMALL, "--db", str(db)]) == 0
    return db


@pytest.fixture
def db(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVOLVE_HOME", str(recorded.parent))
    shutil.copy(recorded, tmp_path / "run.db")
    return tmp_path / "run.db"


def test_a_run_records_the_digests_of_its_data_and_its_options(db: Path) -> None:
    with contextlib.closing(Archive.open(db)) as archive:
        assert archive.run().task.startswith("w2s-")
        events = [str(row["text"]) for row in archive.rows("select text from events where kind = 'data' order by text")]
        assert [text.split()[0] for text in events] == ["mine/test.npz", "mine/train.npz"]
        assert '"classes":"balanced"' in archive.run().config
        best = archive.rows("select max(pgr) as pgr from evaluations where status = 'OK'")[0]["pgr"]
        assert isinstance(best, float)
        assert best > 0


def test_verbs_that_read_need_no_data_and_those_that_judge_name_it_again(
    db: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("status", "top", "map"):
        assert run([verb, "--db", str(db)]) == 0
    capsys.readouterr()
    for verb in ("resume", "replay"):
        assert run([verb, "--db", str(db)]) == 2
        assert "read only when you name them: say --data DIR" in capsys.readouterr().err
    assert run(["replay", "--db", str(db), "--data", str(folder)]) == 0
    assert "identical" in capsys.readouterr().out
    assert run(["resume", "--db", str(db), "--data", str(folder), "--evals", "+1"]) == 0


def test_what_has_changed_of_the_data_is_named(
    db: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    np.savez(other / "mine" / "train.npz", **arrays(2)[0])  # type: ignore[arg-type]
    for verb in ("resume", "replay"):
        assert run([verb, "--db", str(db), "--data", str(other)]) == 2
        assert "mine/train.npz has changed" in capsys.readouterr().err


def test_data_without_its_task_and_the_task_without_data_are_sentences(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, said in (
        (["--data", str(folder)], "--data goes with --task w2s"),
        (["--task", "w2s"], "say --data DIR"),
        (["--task", "w2s", "--data", str(folder / "none")], "there is no folder"),
        (["--task", "w2s", "--data", str(folder), "--domain", "yours"], "has no domain 'yours': the domains are mine"),
        (["--task", "w2s", "--data", str(folder), "--set", "classes=even"], "classes = 'even' cannot be used"),
    ):
        assert run(["start", *arguments, "--dry-run"]) == 2
        assert said in capsys.readouterr().err


def test_bad_data_are_refused_before_there_is_a_run(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other, db = tmp_path / "other", tmp_path / "run.db"
    shutil.copytree(folder, other)
    train, test = arrays()
    np.savez(other / "mine" / "test.npz", **{**test, "features": np.r_[train["features"], test["features"][400:]]})
    assert run(["start", "--task", "w2s", "--data", str(other), *SMALL, "--db", str(db)]) == 2
    assert "400 of 500 test rows stand in the training file too" in " ".join(capsys.readouterr().err.split())
    assert not db.exists()


def test_arrays_in_python_are_searched_like_files(tmp_path: Path) -> None:
    task, db = evolve.Task.from_arrays(*arrays(), domain="mine"), tmp_path / "run.db"
    small = {"device": "cpu", "dev_instances": 4, "fresh_instances": 2, "finalists": 1}
    found = evolve.start(task=task, evals=1, path=db, observer=None, **small)
    assert found.status()["evaluations"] == 1
    tasks._ADMITTED.clear()
    with pytest.raises(EvolveError, match="read only when you name them"):
        evolve.resume(db, evals="+1", observer=None)
    assert evolve.resume(db, evals="+1", observer=None, task=task).status()["evaluations"] == 2
