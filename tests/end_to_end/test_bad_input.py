"""Bad input at the command line: a sentence on stderr, the right exit code, nothing written, nothing damaged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archives.archive import Archive
from evolve.cli import run
from fitness.tasks import load
from fitness.vault.vault import Vault
from tests.support.example_run import build


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text("def method(problem):\n    return (\n")
    (tmp_path / "imports.py").write_text("import os\n\n\ndef method(problem):\n    return None\n")
    (tmp_path / "huge.py").write_text("#" * 100_000)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    (tmp_path / "typo.toml").write_text("evels = 3\n")
    (tmp_path / "text.db").write_text("not a database " * 500)
    (tmp_path / "file").write_text("")


BAD = [
    (["start", "--evals", "0"], "evals = 0 cannot be used"),
    (["start", "--evals", "many"], "not a valid integer"),
    (["start", "--model", "openai"], "openai:NAME"),
    (["start", "--model", "oracle:x"], "the known providers are: anthropic, command, openai"),
    (["start", "--model", "openai:gpt-x"], "OPENAI_API_KEY"),
    (["start", "--task", "nothing"], "the known tasks are"),
    (["start", "--domain", "math"], "not a search domain"),
    (["start", "--executor", "moon"], "the executors are local"),
    (["start", "--device", "tpu"], "'tpu' is not one of 'auto', 'cpu', 'cuda'"),
    (["start", "--set", "device=tpu"], "device = 'tpu' cannot be used: input should be 'auto', 'cpu' or 'cuda'"),
    (["start", "--config", "typo.toml"], "did you mean 'evals'"),
    (["start", "--config", "none.toml"], "cannot read the config"),
    (["start", "--set", "island=3"], "did you mean 'islands'"),
    (["start", "--seeds", "broken.py"], "broken.py cannot be used: line 2: it does not compile"),
    (["start", "--seeds", "imports.py"], "line 1: the import of os is not allowed"),
    (["start", "--seeds", "none.py"], "not a regular file"),
    (["start", "--seeds", "link.py"], "not a regular file"),
    (["start", "--seeds", "huge.py"], "100,000 bytes"),
    (["start", "--seeds", "empty"], "no Python file"),
    (["start", "extra.py"], "--seeds extra.py"),
    (["start", "--db", "file/run.db"], "choose another place"),
    (["start", "--db", "text.db"], "already exists"),
    (["strat"], "Did you mean start"),
    (["resume"], "there is no run in runs/ yet"),
    (["resume", "--db", "none.db"], "there is no archive at none.db"),
    (["resume", "--db", "text.db"], "not a database"),
    (["status", "--db", "text.db"], "not a database"),
    (["top", "--db", "none.db"], "there is no archive"),
    (["report", "--db", "none.db"], "there is no archive"),
    (["judge", "none.py"], "not a regular file"),
    (["judge", "broken.py", "--domain", "poetry"], "the domains are chat, code_deceptive, math, code, digits"),
    (["seed", "add", "broken.py"], "there is no run"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_a_sentence_and_exit_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()}
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert "Traceback" not in err
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()}
    assert after == before


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="a machine without NVIDIA's driver")
@pytest.mark.parametrize("arguments", ["start", "start --dry-run", "judge method.py", "resume --db run.db"])
def test_a_gpu_that_is_not_there_is_a_sentence_and_nothing_is_begun(
    arguments: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "home"))
    (tmp_path / "method.py").write_text("def method(problem):\n    return problem.test_x[:, 0].sigmoid()\n")
    build(tmp_path / "run.db", 4)
    archive = Archive.open(tmp_path / "run.db", write=True)
    archive.update_run(vault=Vault().fingerprint, task_version=load("embedded").version)
    before = archive.run()
    archive.close()
    assert run([*arguments.split(), "--device", "cuda"]) == 2
    err = capsys.readouterr().err
    assert "methods cannot run on a GPU here: no NVIDIA device was found; start, resume and judge take --device cpu" in err
    assert "Traceback" not in err
    assert not (tmp_path / "runs").exists()
    assert not list((tmp_path / "home").rglob("*.instance"))
    archive = Archive.open(tmp_path / "run.db")
    assert archive.run() == before
    archive.close()


def test_a_vault_that_cannot_be_written_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "file"))
    assert run(["start"]) == 2
    assert "Set EVOLVE_HOME to a folder you can write to" in capsys.readouterr().err


def test_judging_a_file_that_does_not_compile_is_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    assert run(["judge", "broken.py", "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["status"], verdict["pgr"], verdict["instances"]) == ("INVALID", None, [])
    assert "line 2" in verdict["message"]


def test_dry_run_says_what_it_would_cost_and_does_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["start", "--dry-run", "--evals", "50"]) == 0
    out = capsys.readouterr().out
    assert "50 evaluations" in out
    assert "money: nothing" in out
    assert not (tmp_path / "runs").exists()


def test_a_closed_pipe_is_no_traceback(root: Path) -> None:
    line = f"{sys.executable} -m evolve seed list | head -1"
    done = subprocess.run(["bash", "-c", line], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
