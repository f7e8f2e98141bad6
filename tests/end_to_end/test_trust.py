"""`--trust-methods` at the command line, on a kernel whose walls are masked: refused, said, stored, and on every report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archives.archive import Archive
from fitness.sandbox.doctor import CONTAINED, diagnose
from tests.support import tiny
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.skipif(
    diagnose().level not in CONTAINED, reason="masking walls (there are too few here to begin with)"
)
MISSING = "a method can read and change every file that you can"


def masked(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.support.masked", "landlock+bubblewrap", *arguments]
    return subprocess.run(command, cwd=root, env={**os.environ, "COLUMNS": "1000"}, capture_output=True, text=True)


def pages(root: Path, db: Path) -> list[str]:
    """Return every form of the report, and the status."""
    texts = [masked(root, "report", "--format", kind, "--out", "-", "--db", str(db)).stdout for kind in ("html", "md", "json")]
    return [*texts, masked(root, "status", "--db", str(db)).stdout, masked(root, "status", "--json", "--db", str(db)).stdout]


@pytest.mark.parametrize(
    "command",
    [
        ["start", "--model", "openai:tiny", "--base-url", "http://127.0.0.1:9/v1", *tiny.SMALL],
        ["start", "--seeds", "tests/security/hacks/methods/row_parity.py", *tiny.SMALL],
        ["judge", "seeds/lda.py", "--task", "tiny"],
    ],
    ids=["a model", "a stranger's seed", "a stranger's file"],
)
def test_code_from_elsewhere_is_refused_without_the_flag(root: Path, tmp_path: Path, command: list[str]) -> None:
    database = ["--db", str(tmp_path / "run.db")] if command[0] == "start" else []
    done = masked(root, *command, *database)
    assert done.returncode == 4
    assert "landlock: " in done.stderr
    assert f"--trust-methods runs methods nevertheless, with the walls there are: {MISSING}" in done.stderr
    assert not list(tmp_path.iterdir())


def test_our_own_code_runs_and_the_missing_walls_are_said(root: Path, tmp_path: Path) -> None:
    db = tmp_path / "run.db"
    done = masked(root, "start", *tiny.SMALL, "--evals", "1", "--db", str(db))
    assert done.returncode == 0, done.stderr
    (said,) = (line for line in done.stdout.splitlines() if line.startswith("sandbox level none, "))
    assert "landlock is down: " in said
    assert MISSING in said
    assert all(MISSING in page and "trust-methods)" not in page for page in pages(root, db))
    refused = masked(root, "resume", "--evals", "+1", "--db", str(db))
    assert (refused.returncode, "--trust-methods" in refused.stderr) == (4, True)
    assert masked(root, "resume", "--evals", "+1", "--db", str(db), "--trust-methods").returncode == 0
    assert all("(--trust-methods)" in page for page in pages(root, db))


def test_a_study_of_our_own_code_runs_where_walls_are_missing(root: Path, tmp_path: Path) -> None:
    study = [*tiny.STUDY, "--evals", "1", "--strategies", "iid", "--repeats", "1", "--out", str(tmp_path / "study")]
    done = masked(root, *study)
    assert done.returncode == 0, done.stderr
    assert "\nsandbox level none, " in done.stdout
    refused = masked(
        root, *study, "--model", "openai:tiny", "--base-url", "http://127.0.0.1:9/v1", "--out", str(tmp_path / "new")
    )
    assert (refused.returncode, "--trust-methods" in refused.stderr) == (4, True)


@pytest.mark.slow
def test_trust_is_stored_in_the_run_and_stands_on_every_report(root: Path, tmp_path: Path) -> None:
    db = tmp_path / "run.db"
    with ModelServer() as server:
        model = ["--model", "openai:tiny", "--base-url", server.url, "--set", "offline_share=0"]
        done = masked(root, "start", *tiny.SMALL, *model, "--evals", "2", "--trust-methods", "--db", str(db))
    assert done.returncode == 0, done.stderr
    run = Archive.open(db).run()
    assert (run.level, json.loads(run.config)["trust_methods"]) == ("none", True)
    assert all(
        "(--trust-methods)" in page and MISSING in page for page in [*pages(root, db), db.with_suffix(".html").read_text()]
    )
