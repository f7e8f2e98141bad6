"""Keys: planted in the environment of real runs, then looked for in every byte that was written or printed."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.model_server import Fault, ModelServer

PLANTED = {
    "OPENAI_API_KEY": "sk-planted-openai-0001",
    "ANTHROPIC_API_KEY": "sk-ant-planted-0002",
    "GEMINI_API_KEY": "planted-gemini-0003",
    "MY_DATABASE_TOKEN": "planted-arbitrary-0004",
}
CRASH = """
import sys
import pytest
from evolve import engine
from tests.support import tiny

def broken(self, candidate, evaluation):
    key = self.lab.models["openai:tiny"]._key  # a local of the frame that a traceback may show
    raise RuntimeError("a bug of ours")

engine.Search._judged = broken
tiny.register(pytest.MonkeyPatch())
from evolve.cli import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, key in PLANTED.items():
        monkeypatch.setenv(name, key)


def leaks(*texts: str, folders: list[Path]) -> Iterator[str]:
    """Yield every place where a planted key stands, as it is or in base64 at any offset."""
    needles = [b"planted", *(base64.b64encode(b"x" * skip + b"planted")[skip + 1 : -4] for skip in range(3))]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                yield from (f"{path}: {needle!r}" for needle in needles if needle in content)
    yield from (f"printed: {text}" for text in texts for needle in needles if needle in text.encode())


def evolve(
    root: Path, *arguments: str, program: tuple[str, ...] = ("-m", "tests.support.tiny")
) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *program, *arguments], cwd=root, capture_output=True, text=True)


def starting(db: Path, url: str, *more: str) -> list[str]:
    base = ["--base-url", url] if url else []
    return ["start", *tiny.SMALL, "--model", "openai:tiny", *base, "--set", "offline_share=0", "--db", str(db), *more]


def test_a_server_that_repeats_the_key_gets_it_into_nothing(root: Path, tmp_path: Path) -> None:
    home, db = Path(os.environ["EVOLVE_HOME"]), tmp_path / "run.db"
    faults = [Fault("leaky_error"), Fault("unauthorized"), *[Fault("leaky_answer")] * 40]
    with ModelServer(faults) as server:
        done = evolve(root, *starting(db, server.url, "--evals", "4", "--json"))
    assert done.returncode == 0, done.stderr
    assert [served.fault for served in server.served][:3] == ["leaky_error", "unauthorized", "leaky_answer"]
    shown = [
        evolve(root, *verb, "--db", str(db)).stdout
        for verb in (["show", "--prompt"], ["status"], ["top", "--json"], ["export"])
    ]
    assert "[key]" in shown[0], "the echo was there, and was cut out"
    assert "did not answer" in done.stdout
    assert db.with_suffix(".html").exists()
    assert list(leaks(done.stdout, done.stderr, *shown, folders=[tmp_path, home])) == []


@pytest.mark.slow
def test_a_password_in_the_base_url_is_refused_or_never_stored(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, db = Path(os.environ["EVOLVE_HOME"]), tmp_path / "run.db"
    with ModelServer([Fault("leaky_error"), *[Fault("leaky_answer")] * 40]) as server:
        secret = server.url.replace("127.0.0.1", "me:planted-password@127.0.0.1")
        refused = evolve(root, *starting(db, secret))
        assert (refused.returncode, "OPENAI_BASE_URL" in refused.stderr) == (2, True)
        assert evolve(root, *starting(db, secret, "--dry-run")).returncode == 2
        assert not db.exists()
        monkeypatch.setenv("OPENAI_BASE_URL", secret)
        done = evolve(root, *starting(db, "", "--evals", "2"))
    assert done.returncode == 0, done.stderr
    assert "leaky_answer" in {served.fault for served in server.served}
    assert list(leaks(refused.stdout, refused.stderr, done.stdout, done.stderr, folders=[tmp_path, home])) == []


@pytest.mark.slow
def test_a_crash_and_a_kill_write_no_key(root: Path, tmp_path: Path) -> None:
    home = Path(os.environ["EVOLVE_HOME"])
    with ModelServer([Fault("leaky_answer")] * 100) as server:
        crashed = evolve(root, *starting(tmp_path / "crash.db", server.url), program=("-c", CRASH))
        assert "RuntimeError: a bug of ours" in crashed.stderr
        killed = subprocess.Popen(
            tiny.command(*starting(tmp_path / "kill.db", server.url, "--evals", "40", "--json")),
            cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert killed.stdout is not None
        lines = []
        for line in killed.stdout:
            lines.append(line)
            if json.loads(line).get("snapshot", {}).get("evaluations", 0) >= 1:
                break
        killed.send_signal(signal.SIGKILL)
        out, err = killed.communicate(timeout=60)
    assert (tmp_path / "kill.db-wal").exists()
    assert list(leaks(crashed.stdout, crashed.stderr, *lines, out, err, folders=[tmp_path, home])) == []


def test_the_search_finds_what_was_planted(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text(f"x{PLANTED['OPENAI_API_KEY']}")
    for skip in range(3):
        (tmp_path / f"coded{skip}").write_bytes(base64.b64encode(b"a" * skip + b":planted-password"))
    assert len({leak.partition(":")[0] for leak in leaks(folders=[tmp_path])}) == 4
