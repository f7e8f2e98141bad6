"""A task in one file outside the checkout: searched, gone on with and judged by its path; imported only when it is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archives.archive import Archive
from evolve.cli import run
from fitness import tasks
from fitness.registry import UsageError
from fitness.vault.vault import Vault
from tests.support.tiny import HUMAN, SETTINGS

FILE = '''\
"""Two blurred clouds; the teacher sees one noisy coordinate."""

import numpy as np

from fitness.nouns import Limits
from fitness.tasks import Task
from fitness.tasks.source import Draw

open(__file__ + ".imported", "a").write("x")


class Source:
    def __init__(self, options):
        self.n = options["n"]

    def draw(self, domain, secret):
        rng = secret.rng("data")
        y = rng.permutation(np.arange(2 * self.n) % 2)
        x = rng.normal(size=(2 * self.n, 16)) + 0.8 * (2 * y[:, None] - 1)
        p = 1 / (1 + np.exp(-2 * x[:, 0] - rng.normal(size=len(y))))
        weak, x = np.stack([1 - p, p], 1).astype(np.float32), x.astype(np.float32)
        n, hard = self.n, weak.argmax(1)
        accuracy = float(np.mean(hard[n:] == y[n:]))
        public = {"train_x": x[:n], "weak": weak[:n], "test_x": x[n:]}
        return Draw(public, {"test_y": y[n:].astype(np.uint8), "teacher": weak[n:]}, accuracy, 0.99)


TASK = Task(
    name="clouds",
    brief="Tell two clouds apart.",
    search_domains=("near",),
    limits=Limits(seconds=10.0),
    least_instances=3,
    options={"n": 300},
    seeds="baselines",
)
'''
SMALL = ["--device", "cpu", *(word for setting in SETTINGS for word in ("--set", setting))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "task.py").write_text(FILE)
    (folder / "baselines").mkdir()
    for name in HUMAN:
        (folder / "baselines" / f"{name}.py").write_text((root / "seeds" / f"{name}.py").read_text())
    return folder


@pytest.fixture(autouse=True)
def _forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command is a process of its own to its user."""
    monkeypatch.setattr(tasks, "_ADMITTED", {})


def imports(folder: Path) -> int:
    return len((folder / "task.py.imported").read_text())


def test_a_task_by_path_is_searched_gone_on_with_and_judged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db, task = folder / "run.db", str(folder / "task.py")
    assert run(["start", "--task", task, "--evals", "3", "--workers", "1", *SMALL, "--db", str(db)]) == 0
    assert f"python -m evolve start --task {task} --model " in capsys.readouterr().out
    archive = Archive.open(db)
    name = archive.run().task
    assert name.startswith("clouds-")
    assert archive.run().task_version == "1"
    assert json.loads(archive.run().config)["domain"] == "near", "the task's first domain"
    assert archive.judged() == 3
    assert [event["text"] for event in archive.rows("select text from events where kind = 'task'")] == [f"{name} is {task}"]
    assert (Vault().folder / name / "1" / "near").is_dir()
    tasks._ADMITTED.clear()
    imported, out = imports(folder), str(folder / "report.json")
    capsys.readouterr()

    for verb in (
        ["status"],
        ["top"],
        ["map"],
        ["show", "lda"],
        ["report", "--format", "json", "--out", out],
    ):
        assert run([*verb, "--db", str(db)]) == 0
    assert run(["resume", "--db", str(db), "--evals", "+1"]) == 2
    said = capsys.readouterr().err
    assert f"The task {name} is a file" in said
    assert "say --task path/to/file.py" in said
    assert imports(folder) == imported, "an archive is no reason to import what it names"

    assert run(["resume", "--db", str(db), "--evals", "+1", "--task", task]) == 0
    assert Archive.open(db).judged() == 4
    tasks._ADMITTED.clear()
    assert run(["replay", "--db", str(db)]) == 2, "it needs the task"
    assert run(["replay", "--db", str(db), "--task", task]) == 0
    capsys.readouterr()

    method = str(folder / "baselines" / "lda.py")
    assert run(["judge", method, "--task", task, "--instances", "2", "--device", "cpu", "--no-probes", "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["status"], verdict["domain"]) == ("OK", "near")


def test_a_changed_file_is_another_task(folder: Path, tmp_path: Path) -> None:
    changed = tmp_path / "task.py"
    changed.write_text(FILE + "\n")
    assert tasks.admit(str(folder / "task.py")) != tasks.admit(str(changed))
    assert tasks.load(tasks.admit(str(changed))).seeds == (tmp_path / "baselines",)
    assert tasks.admit(f"{folder / 'task.py'}:TASK") == tasks.admit(str(folder / "task.py"))


def test_an_executor_out_of_an_archive_is_imported_only_when_it_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text("open(__file__ + '.ran', 'w')\n")
    db = tmp_path / "run.db"
    db.write_bytes((folder / "run.db").read_bytes())
    archive = Archive.open(db, write=True)
    archive.update_run(config=archive.run().config.replace('"executor":"local"', f'"executor":"{evil}:Mine"'))
    archive.close()
    assert run(["replay", "--db", str(db), "--task", str(folder / "task.py")]) == 0, "a replay judges nothing"
    for verb in (["resume"], ["sealed", "--yes"]):
        assert run([*verb, "--db", str(db), "--task", str(folder / "task.py")]) == 2
        assert f"say resume --executor {evil}:Mine, or --executor local" in capsys.readouterr().err
    assert not evil.with_name("evil.py.ran").exists()


def test_a_strategy_out_of_an_archive_is_imported_only_when_it_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text("open(__file__ + '.ran', 'w')\n")
    db, task = tmp_path / "run.db", ["--task", str(folder / "task.py")]
    db.write_bytes((folder / "run.db").read_bytes())
    archive = Archive.open(db, write=True)
    archive.update_run(config=archive.run().config.replace('"strategy":"map-elites"', f'"strategy":"{evil}:Mine"'))
    archive.close()
    for verb in ("status", "top", "map"):
        assert run([verb, "--db", str(db)]) == 0
    for verb in ("resume", "replay", "sealed"):
        assert run([verb, "--db", str(db), *task]) == 2
        assert f"unknown strategy '{evil}:Mine'" in capsys.readouterr().err
    assert run(["resume", "--db", str(db), *task, "--strategy", "iid"]) == 2
    assert "a run goes on with the strategy that it began with, not with 'iid'" in capsys.readouterr().err
    assert not evil.with_name("evil.py.ran").exists()


def test_a_probe_of_a_task_is_looked_for_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "task.py"
    path.write_text(
        FILE + "from dataclasses import replace\n"
        "TASK = replace(TASK, contract=replace(TASK.contract, probes=('swap', 'probe.py:MINE')))\n"
    )
    assert tasks.load(tasks.admit(str(path))).contract.probes == ("swap", f"{tmp_path / 'probe.py'}:MINE")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("TASK = 3\n", "is no task but of type int: write task = Task"),
        ("from fitness.tasks import Task\nTASK = Task(name='x')\n", "line 2, cannot be imported: TypeError: .*search_domains"),
        ("from fitness.tasks import Task\nTASK = Task(name='x', search_domains='chat')\n", "line 2.*domains are a tuple"),
        ("from fitness.tasks import Task\nTASK = Task(name='../x', search_domains=('a',))\n", "'../x' is no name"),
        ("from fitness.tasks import Task\nTASK = Task(name='x', search_domains=())\n", "needs a search domain"),
        (
            "from fitness.nouns import Measure\nfrom fitness.tasks import Task\n"
            "TASK = Task(name='x', search_domains=('a',), measures=(Measure('beauty', 0, 1, 4),))\n",
            "line 3.*'beauty' is not measured: choose among teacher_agreement",
        ),
    ],
)
def test_bad_task_files_are_sentences(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "task.py"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        tasks.admit(str(path))


def test_a_source_that_is_missing_or_breaks_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, method = tmp_path / "task.py", tmp_path / "method.py"
    method.write_text("def method(problem):\n    return problem.test_x[:, 0] * 0\n")
    judge = ["judge", str(method), "--task", str(path), "--instances", "1", "--device", "cpu"]
    path.write_text("from fitness.tasks import Task\nTASK = Task(name='x', search_domains=('a',))\n")
    assert run(judge) == 2
    assert "task.py defines no Source" in capsys.readouterr().err
    path.write_text(path.read_text() + "class Source:\n    def __init__(self, options): raise OverflowError('too much')\n")
    assert run(judge) == 2
    assert "OverflowError: too much" in capsys.readouterr().err
