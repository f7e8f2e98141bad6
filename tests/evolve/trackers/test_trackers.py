"""The trackers' table: what every tracker keeps, read back with its own package; and a run that trackers follow, or fail to."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from archives.grid import Bins
from evolve import files, trackers
from evolve.cli import run
from evolve.config import Config
from evolve.errors import UsageError
from evolve.models import isolation
from evolve.observer import Snapshot
from evolve.runs.resources import load_models
from evolve.trackers import TABLE, Subject
from evolve.trackers.following import Trackers, subject_of, values
from evolve.trackers.process import Process
from fitness.nouns import Interval
from tests.end_to_end.test_end_to_end import rows, start
from tests.support import tiny
from tests.support.example_run import build
from tests.support.kept import READERS, Kept, read_tensorboard

pytestmark = pytest.mark.thorough

SUBJECT = ("run", "run-1a2b3c4d")
SETTINGS: dict[str, str | float] = {"task": "tiny", "seed": 3}
RESULTS = {"champion": "abc", "verdict": "shown: abc beats lda", "fresh_pgr_chat": 0.75, "report": __file__}


@pytest.fixture(params=list(TABLE))
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A tracker of the table; one whose package this machine lacks is a named skip."""
    wanted = str(request.param)
    for variable in [variable for variable in os.environ if variable.startswith(("WANDB_", "MLFLOW_", "TRACKIO_"))]:
        monkeypatch.delenv(variable)
    try:
        trackers.check([wanted])
    except UsageError:
        pytest.skip(f"needs the extra {wanted}")
    return wanted


def subject(folder: Path) -> Subject:
    return Subject(*SUBJECT, folder, SETTINGS)


def follow(name: str, folder: Path, steps: range, results: dict[str, object] | None) -> str:
    """Have a tracker follow a session of so many evaluations; without results it is cut off. Return what went wrong."""
    process = Process(name, subject(folder))
    for step in steps:
        process.tell({"step": step, "values": {"best_pgr": step / 10, "qd_score": 2.0 * step}})
    if results is not None:
        process.tell({"state": "finished", "results": results})
    return process.finish(60.0)


def test_every_tracker_can_be_read_back() -> None:
    assert set(READERS) == set(TABLE)


def test_a_tracker_keeps_what_it_is_told_and_no_key_and_prints_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_BASE_URL", "SOME_HOST_API_KEY"):
        monkeypatch.setenv(variable, "http://planted-secret@host/")
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "planted-secret"))
    assert follow(name, tmp_path, range(1, 5), RESULTS) == ""
    assert capfd.readouterr() == ("", "")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"planted-secret" in path.read_bytes()]
    kept = READERS[name](tmp_path)
    assert kept.series["best_pgr"] == pytest.approx({1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4} | _summary(kept, "best_pgr"))
    assert {step: value for step, value in kept.series["qd_score"].items() if step > 0} == {1: 2.0, 2: 4.0, 3: 6.0, 4: 8.0}
    assert 0.75 in kept.series["fresh_pgr_chat"].values()
    words = {"state": "finished", "champion": "abc", "verdict": "shown: abc beats lda", "report": __file__}
    assert kept.words.items() >= {**words, "task": "tiny", "seed": "3"}.items()


def test_a_tracker_keeps_its_contract(name: str, tmp_path: Path, root: Path) -> None:
    """In a process of its own, for a tracker may leave threads behind."""
    code = "import pathlib, sys; from evolve import testing, trackers; "
    code += "testing.check_tracker(trackers.load(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    done = subprocess.run([sys.executable, "-c", code, name, str(tmp_path)], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _summary(kept: Kept, name: str) -> dict[int, float]:
    """Return what wandb repeats in its summary."""
    return {step: value for step, value in kept.series[name].items() if step < 0}


def test_a_resumed_run_is_the_same_run(name: str, tmp_path: Path) -> None:
    assert follow(name, tmp_path, range(1, 3), None) == ""
    assert READERS[name](tmp_path).words["state"] == "interrupted"
    assert follow(name, tmp_path, range(3, 5), RESULTS) == ""
    kept = READERS[name](tmp_path)
    assert kept.runs == 1
    assert {step for step in kept.series["best_pgr"] if step > 0} == {1, 2, 3, 4}
    assert kept.words["state"] == "finished"


def test_a_place_that_cannot_be_written_is_a_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = follow(name, tmp_path / "file", range(1, 3), RESULTS)
    assert sentence.startswith(f"the tracker {name} is left out: ")
    assert "\n" not in sentence


@pytest.mark.parametrize("missing", list(TABLE))
def test_a_missing_package_is_a_sentence_before_anything_is_begun(
    missing: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = trackers.load(missing).package
    monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.setattr(sys, "path", [str(root), *(path for path in sys.path if not (Path(path) / package).exists())])
    importlib.invalidate_caches()
    db = tmp_path / "run.db"
    assert run(["start", *tiny.SMALL[2:], "--tracker", missing, "--db", str(db)]) == 2
    said = capsys.readouterr().err
    assert f"the tracker {missing} needs the extra {missing}: run `pip install -e '.[{missing}]'`" in said
    assert not db.exists()


def test_the_extras_are_named_like_the_table(root: Path) -> None:
    import tomllib

    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(TABLE) <= set(extras)


def test_an_unknown_tracker_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["start", "--tracker", "comet", "--dry-run"]) == 2
    assert "the trackers are wandb, trackio, mlflow, tensorboard" in capsys.readouterr().err


def test_a_tracker_that_hangs_holds_nothing_up(name: str, tmp_path: Path) -> None:
    process = Process(name, subject(tmp_path))
    os.kill(process.pid, signal.SIGSTOP)
    for step in range(5000):  # some 400 kB: more than a pipe holds
        process.tell({"step": step, "values": {"best_pgr": 0.5, "qd_score": 2.0, "coverage": 0.25}})
    assert not process.gone
    assert f"the tracker {name} did not end in time and was stopped" in process.finish(0.1)
    assert process.gone


def test_only_known_numbers_are_told() -> None:
    best = Interval(0.5, float("-inf"), 0.75, 10)
    now = Snapshot("breeding", 4, 9, best, "abc", {"lda": 0.25}, 30.0, None, (1, 1), 1.5, 2, None, 0.25, 3.0, 0.125)
    told = {"qd_score": 3.0, "coverage": 0.125, "direction_entropy": 1.5, "refused": 2.0, "evaluations_per_minute": 30.0}
    assert values(now) == {**told, "best_pgr": 0.5, "best_pgr_high": 0.75, "best_fitness": 0.25, "human_best_pgr": 0.25}
    seed = Snapshot("breeding", 1, 9, best, "lda", {"lda": 0.25}, 30.0, None, (1, 1), 1.5, 2, 0.0, 0.25, 3.0, 0.125)
    assert values(seed) == {**told, "usd": 0.0, "human_best_pgr": 0.25}


# whole runs


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for runs that tensorboard follows."""
    try:
        trackers.check(["tensorboard"])
    except UsageError:
        pytest.skip("needs the extra tensorboard")
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_and_its_second_session_are_followed_to_the_end(followed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--seed", "3", "--tracker", "tensorboard", evals=4) == 0
    assert run(["resume", "--db", "run.db", "--evals", "+2"]) == 0
    kept = read_tensorboard(followed / "trackers")
    assert kept.runs == 1
    assert set(kept.series["coverage"]) == set(range(1, 7)), "every evaluation is told"
    grid = rows("select count(distinct cell) as cells from elites")[0]["cells"]
    assert kept.series["coverage"][6] == pytest.approx(grid / Bins(tiny.TASK.measures).cells, rel=1e-5)
    champion = rows("select champion, verdict from runs")[0]
    assert kept.words["champion"] == champion["champion"][:8]
    assert kept.words["verdict"] == champion["verdict"]
    assert kept.words["state"] == "finished"
    assert kept.words["report"] == str(followed / "run.html")
    fresh = rows(f"select pgr from evaluations where method = '{champion['champion']}' and domain = 'chat' and split = 'fresh'")
    assert kept.series["fresh_pgr_chat"][6] == pytest.approx(fresh[-1]["pgr"], rel=1e-5)
    capsys.readouterr()
    assert run(["replay", "--db", "run.db"]) == 0


def test_a_tracker_that_fails_or_is_unknown_is_told_once_and_the_run_goes_on(
    followed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (followed / "trackers").mkdir()
    (followed / "trackers" / "tensorboard").write_text("no folder")
    assert start("--seed", "3", "--tracker", "tensorboard", evals=4) == 0
    said = capsys.readouterr()
    assert (said.out + said.err).count("the tracker tensorboard is left out: ") == 1
    assert rows("select count(*) as n from evaluations where proposal is not null")[0]["n"] == 4
    assert not rows("select 1 from events where text like '%tracker%'")
    with sqlite3.connect("run.db") as db:
        db.execute("update runs set config = json_set(config, '$.trackers', json('[\"comet\"]'))")
    assert run(["resume", "--db", "run.db", "--evals", "+1"]) == 0
    assert "not followed: there is no tracker named 'comet'" in capsys.readouterr().out
    assert run(["resume", "--db", "run.db", "--evals", "+1", "--tracker", "comet"]) == 2, (
        "only what one asks for oneself stops it"
    )


# runs that were made up


def test_a_command_line_is_not_told(tmp_path: Path) -> None:
    path = build(tmp_path / "run.db", 3)
    with sqlite3.connect(path) as db:
        db.execute(
            "update runs set config = json_set(config, '$.model', json('[\"command:agent --key planted\", \"openai:a\"]'))"
        )
    told = subject_of(path)
    assert told.settings["models"] == "command, openai:a"
    assert "planted" not in json.dumps(dict(told.settings))
    shutil.copy(path, tmp_path / "copy.db")
    assert subject_of(tmp_path / "copy.db").key == told.key, "a run keeps its key wherever its archive lies"


@pytest.mark.skipif(not isolation.works(), reason="needs bubblewrap")
def test_a_command_cannot_look_at_what_trackers_keep(tmp_path: Path) -> None:
    kept = files.trackers_folder(tmp_path / "run.db") / "scores"
    kept.parent.mkdir()
    kept.write_text("0.875")
    look = shlex.join([sys.executable, "-I", "-c", f"import os; print(os.path.exists({str(kept)!r}), 'seen')"])
    (model,) = load_models(Config(model=(f"command:{look}",)), None, tmp_path / "run.db").values()
    assert model.ask("system", "prompt").text.split() == ["False", "seen"]


NOW = Snapshot("breeding", 1, 9, None, "", {}, 1.0, None, (1, 1), 0.0, 0, 0.0, None, 0.0, 0.0)


def test_two_names_of_one_tracker_are_one(followed: Path) -> None:
    said: list[str] = []
    both = Trackers(["tensorboard", "tensorboard"], build(followed / "run.db", 3), said.append)
    assert both.follow(NOW) == []
    both.close()
    assert said == []
    assert len(list((followed / "trackers" / "tensorboard").rglob("events*"))) == 1


def test_no_place_for_trackers_is_told_once(followed: Path) -> None:
    (followed / "trackers").write_text("no folder")
    said: list[str] = []
    one = Trackers(["tensorboard"], build(followed / "run.db", 3), said.append)
    assert "no tracker follows this run: " in one.follow(NOW)[0]
    assert one.follow(replace(NOW, evaluations=2)) == []
    one.close()
    assert said == []
