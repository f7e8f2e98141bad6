"""Every example of docs/extending.md, copied out of the page into a folder outside the checkout and used there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from archives.archive import Archive

PAGE = Path(__file__).parent.parent / "docs" / "extending.md"
BLOCKS = [found[1] for found in re.findall(r"^(`{3,})python\n(.*?)^\1$", PAGE.read_text(), re.DOTALL | re.MULTILINE)]
CHECKS = {re.findall(r"testing\.(\w+)", block)[0]: block for block in BLOCKS if block.startswith("# check\n")}
COMMANDS = re.findall(r"^    python -m evolve (.*)$", PAGE.read_text(), re.MULTILINE)
STARTS = [command.split() for command in COMMANDS if command.startswith("start ")]
SMALL = "--device cpu --workers 1 --set dev_instances=3 --set fresh_instances=3 --set held_out_instances=2 --set finalists=1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A folder of a user's, with all that the page has her write."""
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "my").mkdir()
    for block in BLOCKS:
        named = re.match(r"# (?:at the end of )?(my/[\w/]+\.py)\n", block)
        if named:
            (folder / named[1]).parent.mkdir(exist_ok=True)
            with open(folder / named[1], "a") as file:
                file.write(block)
    shutil.copy(root / "seeds" / "lda.py", folder / "my" / "method.py")
    return folder


def evolve(root: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a verb in the user's folder."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "evolve", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def test_the_page_has_an_example_a_check_and_a_command_for_each_kind() -> None:
    kinds = ("operator", "task", "model", "executor", "tracker", "strategy", "probe")
    assert set(CHECKS) == {f"check_{kind}" for kind in kinds}
    assert len([block for block in BLOCKS if block.startswith("# my/")]) == len(kinds) + 2  # a question, and its baseline
    assert all(any(f"--{kind}" in command for command in COMMANDS) for kind in kinds[:-1])
    assert all(len(block.splitlines()) < 50 for block in BLOCKS)


@pytest.mark.parametrize("suite", CHECKS)
def test_an_example_keeps_its_contract(suite: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    exec(compile(CHECKS[suite], suite, "exec"), {})


@pytest.mark.thorough
@pytest.mark.parametrize("words", STARTS, ids=" ".join)
def test_a_command_of_the_page_is_one_that_can_begin(words: list[str], root: Path, folder: Path) -> None:
    done = evolve(root, folder, *words, "--dry-run")
    assert done.returncode == 0, done.stderr


@pytest.mark.thorough
def test_all_of_the_examples_work_in_one_run(root: Path, folder: Path) -> None:
    done = evolve(root, folder, *STARTS[-1], *SMALL.split(), "--evals", "12", "--set", "offline_share=0.7", "--db", "all.db")
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(Archive.open(folder / "all.db")) as archive:
        assert archive.run().state == "finished"
        assert archive.run().task.startswith("clouds-")
        bred = {(row["operator"], row["model"]) for row in archive.rows("select operator, model from proposals")}
    assert "scale" in dict(bred), "the operator was bred with"
    assert any("provider.py" in (model or "") for _, model in bred), "the model was asked"
    jobs = [json.loads(line) for line in (folder / "jobs.jsonl").read_text().splitlines()]
    assert {"evaluate", "certify"} <= {job["kind"] for job in jobs}, "the executor judged"
    (followed,) = (folder / "trackers").glob("*.csv")
    assert "end,state,finished" in followed.read_text(), "the tracker was told to the end"


@pytest.mark.thorough
def test_a_strategy_of_ones_own_searches_and_is_named_again(root: Path, folder: Path) -> None:
    words = "start --task my/task.py --strategy my/strategy.py:CONSTANTS --operator my/operators.py:Scale --evals 8 --db own.db"
    done = evolve(root, folder, *words.split(), *SMALL.split())
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(Archive.open(folder / "own.db")) as archive:
        used = {row["operator"] for row in archive.rows("select operator from proposals")}
        assert {"scale"} <= used <= {"scale", "perturb", "tune"}
    on = ["--db", "own.db", "--task", "my/task.py"]
    without = evolve(root, folder, "resume", *on, "--evals", "+1")
    assert (without.returncode, "say --strategy path/to/file.py:NAME" in without.stderr) == (2, True)
    (folder / "my" / "strategy.py").rename(folder / "my" / "away.py")
    assert evolve(root, folder, "top", "--db", "own.db").returncode == 0, "who only reads needs nothing"
    on += ["--strategy", "my/away.py:CONSTANTS", "--operator", "my/operators.py:Scale"]
    for verb in (["resume", *on, "--evals", "+1"], ["replay", *on]):
        done = evolve(root, folder, *verb)
        assert done.returncode == 0, done.stdout + done.stderr
    (folder / "my" / "away.py").rename(folder / "my" / "strategy.py")


@pytest.mark.thorough
def test_the_method_of_the_page_is_judged_and_probed(root: Path, folder: Path) -> None:
    (words,) = (command for command in COMMANDS if command.startswith("judge ") and "--instances" not in command)
    done = evolve(root, folder, *words.split(), "--instances", "3", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)
    mirror = [finding["verdict"] for finding in verdict["probes"] if finding["probe"] == "mirror"]
    assert set(mirror) == {"PASSED"}, verdict
