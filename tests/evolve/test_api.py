"""The public API: runs from a script, what it returns, and that misuse is a sentence."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas
import pytest

import evolve
from evolve.cli import run as command_line
from evolve.nouns import Brief, Draft, Tools
from evolve.observer import Snapshot
from evolve.runs.process import only_writer
from tests.support import tiny

SETTINGS: dict[str, Any] = {
    "dev_instances": 3, "fresh_instances": 3, "held_out_instances": 3, "finalists": 1, "device": "cpu", "workers": 1,
}  # fmt: skip
SCRIPT = """\
import sys
import evolve
from tests.support import tiny

print("begun")
run = evolve.start(task=tiny.TASK, path="mine.db", evals={evals}, **{settings})
print(run.status()["state"], run.status()["evaluations"])
"""


class Listener:
    def __init__(self) -> None:
        self.events = list[str]()
        self.texts = list[str]()
        self.evaluations = list[int]()

    def event(self, kind: str, text: str) -> None:
        self.events.append(kind)
        self.texts.append(text)

    def snapshot(self, now: Snapshot) -> None:
        self.evaluations.append(now.evaluations)


class Halving:
    """An operator of a user's own: the parent's answers, less sure."""

    name, needs_model, parents, subject = "halving", False, 1, "parents"

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        share = rng.uniform(0.1, 0.9)
        body = brief.parents[0].method.source.replace("def method(", "def before(", 1)
        return Draft(f"{body}\n\ndef method(problem):\n    return before(problem) * {share} + {(1 - share) / 2}\n", "less sure")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, _module_home: Path) -> tuple[evolve.Run, Listener]:
    folder, listener = tmp_path_factory.mktemp("api"), Listener()
    with pytest.MonkeyPatch.context() as patch:
        tiny.register(patch)
        patch.setenv("EVOLVE_HOME", str(_module_home))
        run = evolve.start(
            task=tiny.TASK, operators=[Halving()], path=folder / "run.db", observer=listener, evals=12, **SETTINGS
        )
    return run, listener


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


def test_a_run_from_a_script_tells_its_observer_of_every_evaluation(started: tuple[evolve.Run, Listener]) -> None:
    run, listener = started
    assert (run.status()["state"], run.status()["evaluations"]) == ("finished", 12)
    assert set(range(13)) <= set(listener.evaluations)
    assert {"sandbox", "seed", "best", "note"} <= set(listener.events)
    assert any(arm["operator"] == "halving" for arm in run.status()["arms"]), "an operator needs no line in the table"


def test_tables_are_those_of_the_command_line(started: tuple[evolve.Run, Listener], capsys: pytest.CaptureFixture[str]) -> None:
    run = evolve.open_run(started[0].path)
    assert command_line(["top", "--db", str(run.path), "--json", "-n", "5", "--by", "size"]) == 0
    assert json.loads(json.dumps(run.leaderboard(5, by="size"))) == json.loads(capsys.readouterr().out)
    assert command_line(["lineage", "--db", str(run.path), "--json"]) == 0
    assert json.loads(json.dumps(run.lineage())) == json.loads(capsys.readouterr().out)["ancestors"]
    assert command_line(["status", "--db", str(run.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["evaluations"] == run.status()["evaluations"]
    assert list(pandas.DataFrame(run.leaderboard(3))["fitness"]) == [row["fitness"] for row in run.leaderboard(3)]


def test_a_method_and_a_report(started: tuple[evolve.Run, Listener], tmp_path: Path) -> None:
    run = started[0]
    best = run.method("best")
    assert "def method(" in best.source
    assert run.method(best.method[:10]).method == best.method
    assert run.write_report("page.html").read_text().startswith("<!doctype html>")


@pytest.mark.thorough
def test_a_run_goes_on_and_takes_a_file(started: tuple[evolve.Run, Listener], tmp_path: Path) -> None:
    told = Listener()
    evolve.resume(started[0].path, task=tiny.TASK, evals="+1", observer=told)
    assert "going on without the operator halving, which was not named: say --operator FILE:CLASS again" in told.texts
    run = started[0].resume(evals="+1", observer=None)
    assert run.status()["evaluations"] == 14
    file = tmp_path / "mine.py"
    file.write_text("def method(problem):\n    return problem.weak[:, 1].mean() + 0 * problem.test_x[:, 0]\n")
    assert run.add_seed(file)["status"] == "OK"
    file.write_text("def method(problem)\n")
    assert run.add_seed(file)["status"] == "INVALID"
    with pytest.raises(evolve.EvolveError, match="searches on 'tiny', but the task that was handed over is 'other'"):
        evolve.resume(run.path, task=replace(tiny.TASK, name="other"))


@pytest.mark.thorough
def test_a_file_is_judged(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def method(problem):\n    return problem.test_x[:, 0].sigmoid()\n")
    verdict = evolve.judge("mine.py", task=tiny.TASK, domain="chat", instances=2, device="cpu", probes=False)
    assert (verdict["status"], len(verdict["instances"])) == ("OK", 2)


@pytest.mark.thorough
def test_a_run_that_another_holds_is_not_written(started: tuple[evolve.Run, Listener]) -> None:
    with only_writer(started[0].path), pytest.raises(evolve.EvolveError, match="another process is working on"):
        started[0].resume(observer=None)
    with pytest.raises(evolve.EvolveError, match="already"):
        evolve.start(path=started[0].path, task=tiny.TASK, observer=None, **SETTINGS)


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("start", {"evels": 5}, "did you mean 'evals'"),
    ("start", {"evals": "many"}, "evals = 'many' cannot be used"),
    ("start", {"domain": "poetry", "task": tiny.TASK}, "is not a search domain"),
    ("start", {"config": 5}, "config takes the path of a file, got 5"),
    ("start", {"config": "none.toml"}, "cannot read the config"),
    ("start", {"path": 5}, "path takes the path of a file, got 5"),
    ("start", {"observer": print}, "observer cannot take .* it has no event"),
    ("start", {"operators": [5]}, "operators cannot take 5: it has no name"),
    ("start", {"operators": [Halving]}, "it is a class: hand over an instance"),
    ("start", {"operators": Halving()}, "operators takes a list"),
    ("start", {"task": 5}, "task cannot take 5"),
    ("start", {"task": "moon"}, "There is no task named 'moon'"),
    ("start", {"executor": 5}, "executor cannot take 5"),
    ("start", {"executor": "moon"}, "the executors are local"),
    ("start", {"trackers": "moon"}, "there is no tracker named 'moon'"),
    ("start", {"strategy": "none.py:MINE"}, "cannot read .*none.py"),
    ("resume", {"path": "none.db", "strategy": "none.py:MINE"}, "cannot read .*none.py"),
    ("resume", {"path": "none.db"}, "there is no archive"),
    ("resume", {"path": "none.db", "islands": 4}, "unknown key 'islands' in resume"),
    ("open_run", {}, "there is no run in runs/ yet"),
    ("open_run", {"path": "none.db"}, "there is no archive"),
    ("judge", {"file": "none.py"}, "not a regular file"),
    ("judge", {"file": 5}, "judge takes the path of a file"),
    ("judge", {"file": "none.py", "instances": 0}, "instances is a number of 1 or more, got 0"),
    ("judge", {"file": "none.py", "workers": "many"}, "workers = 'many' cannot be used"),
]


@pytest.mark.parametrize(("name", "arguments", "sentence"), BAD, ids=[f"{name} {sentence}" for name, _, sentence in BAD])
def test_misuse_is_a_sentence_and_nothing_is_written(
    name: str, arguments: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(evolve.EvolveError, match=sentence):
        getattr(evolve, name)(**arguments)
    assert not list(tmp_path.iterdir())


def test_a_question_that_a_run_cannot_answer_is_a_sentence(started: tuple[evolve.Run, Listener]) -> None:
    run = started[0]
    for question in (
        lambda: run.leaderboard(0), lambda: run.leaderboard(order="size"), lambda: run.method("nobody"), lambda: run.method(5),  # type: ignore[arg-type]
        lambda: run.write_report(5), lambda: run.resume(evals="more"), lambda: run.leaderboard(by="moon"),  # type: ignore[arg-type]
    ):  # fmt: skip
        with pytest.raises(evolve.EvolveError):
            question()


def test_every_public_name_loads_and_no_other(root: Path) -> None:
    assert set(evolve.__all__) <= set(dir(evolve))
    for name in evolve.__all__:
        assert getattr(evolve, name) is not None
    assert sorted(evolve.__all__) == sorted(name for names in evolve._HOMES.values() for name in names)
    with pytest.raises(AttributeError, match="no attribute 'strat'"):
        evolve.strat  # noqa: B018


def test_importing_evolve_loads_nothing_heavy(root: Path) -> None:
    code = "import sys, evolve; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numpy", "pydantic", "click", "rich", "libcst"} & set(modules)


def test_a_stray_package_stops_the_api_too(root: Path, tmp_path: Path) -> None:
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / "__init__.py").write_text("")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); import evolve; evolve.start(evals=1)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, capture_output=True, text=True)
    assert f"ImportError: the package archives resolves to {tmp_path}" in done.stderr


def script(root: Path, folder: Path, evals: int) -> subprocess.Popen[str]:
    """Run a script without a main guard, in a folder of its own."""
    (folder / "search.py").write_text(SCRIPT.format(evals=evals, settings=SETTINGS))
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "search.py"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.thorough
def test_a_script_needs_no_main_guard_and_no_checkout_around_it(root: Path, tmp_path: Path) -> None:
    out, err = script(root, tmp_path, 2).communicate(timeout=240)
    assert "Traceback" not in err
    assert out.count("begun") == 1, "no process of ours imports the script again"
    assert out.splitlines()[-1] == "finished 2"


@pytest.mark.thorough
def test_ctrl_c_ends_a_script_cleanly_with_a_run_that_goes_on(root: Path, tmp_path: Path) -> None:
    process = script(root, tmp_path, 500)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("lda:"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "stopping" in out
    assert out.splitlines()[-1].startswith("interrupted ")


@pytest.mark.thorough
def test_a_search_runs_outside_the_main_thread(tmp_path: Path) -> None:
    """Signals reach the main thread only, so nothing is installed for them."""
    states = list[str]()

    def work() -> None:
        run = evolve.start(task=tiny.TASK, path="thread.db", observer=None, evals=1, **SETTINGS)
        states.append(run.status()["state"])

    thread, began = threading.Thread(target=work), time.monotonic()
    thread.start()
    thread.join(240)
    assert states == ["finished"], time.monotonic() - began
