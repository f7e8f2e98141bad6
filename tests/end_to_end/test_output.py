"""Where output goes: other encodings, closed, full, or read by nobody any more; verbs and searches end in no traceback."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from archives.archive import Archive
from tests.support import tiny
from tests.support.example_run import build

ENCODINGS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "a plain locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
VERBS = (
    ["top"], ["status"], ["show", "METHOD"], ["diff", "METHOD"], ["lineage", "METHOD"], ["map"], ["failures"], ["costs"],
    ["find", "a"], ["doctor"], ["seed", "list"], ["report", "--text"], ["top", "--json"], ["--help"],
)  # fmt: skip


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with names of strangers in many scripts."""
    path = tmp_path_factory.mktemp("example") / "run.db"
    build(path, 12)
    archive = Archive.open(path, write=True)
    with archive.transaction():
        archive._db.execute("update methods set name = '\u4e2d\u6587 \u2014 \U0001f600 \u00e9 ' || name")
    archive.close()
    return path


def run(arguments: list[str], root: Path, redirect: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = ["bash", "-c", f'exec "$@" {redirect}', "bash", *tiny.command(*arguments)]
    return subprocess.run(command, cwd=root, env={**os.environ, **environment}, capture_output=True, timeout=300)


def named(verb: list[str], db: Path) -> list[str]:
    if verb[0] in ("doctor", "seed", "--help"):
        return verb
    with contextlib.closing(Archive.open(db)) as archive:
        bred = archive.rows("select child from lineage limit 1")[0]["child"]
    return [bred if word == "METHOD" else word for word in verb] + ["--db", str(db)]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_output_that_is_not_utf_8_ends_no_verb_in_a_traceback(verb: list[str], example: Path, root: Path) -> None:
    for name, environment in ENCODINGS.items():
        done = run(named(verb, example), root, **environment)
        assert b"Traceback" not in done.stderr, done.stderr.decode("latin-1")[-600:]
        assert done.returncode in (0, 2)
        done.stdout.decode("ascii" if name in ("ascii", "a plain locale") else name)


@pytest.mark.parametrize("redirect", [">&-", ">&- 2>&- <&-", "| true", "> /dev/full"])
@pytest.mark.parametrize("verb", [["top"], ["show", "METHOD"], ["doctor"]], ids=" ".join)
def test_output_that_is_closed_full_or_unread_ends_no_verb_in_a_traceback(
    verb: list[str], redirect: str, example: Path, root: Path
) -> None:
    done = run(named(verb, example), root, redirect)
    assert b"Traceback" not in done.stderr + done.stdout
    assert b"Exception ignored" not in done.stderr
    assert (done.returncode == 0) == (redirect != "> /dev/full")
    if redirect == "> /dev/full":
        assert done.stderr == b"evolve: the output cannot be written: No space left on device\n"


def searched(
    root: Path, db: Path, evals: int, redirect: str, *more: str, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return run(["start", *tiny.SMALL, "--evals", str(evals), "--db", str(db), *more], root, redirect, **environment)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_start_that_is_read_to_its_first_lines_ends_as_after_ctrl_c_and_says_how_to_go_on(
    more: tuple[str, ...], root: Path, tmp_path: Path
) -> None:
    db = tmp_path / "run.db"
    began = time.monotonic()
    # the reader goes away when methods are bred
    done = searched(root, db, 2_000, "| grep -m1 breeding", *more)
    assert time.monotonic() - began < 200
    assert b"Traceback" not in done.stderr
    assert re.search(
        rb"nobody reads .*; stopped, what was judged is kept; to go on: python -m evolve resume --db ", done.stderr
    )
    archive = Archive.open(db)
    judged, state = archive.judged(), archive.run().state
    archive.close()
    assert state == "interrupted"
    again = run(["resume", "--db", str(db), "--evals", str(judged + 2), "--json"], root)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["end"]["evaluations"] == judged + 2


def test_start_whose_first_line_is_all_that_is_read_says_that_nothing_was_begun(root: Path, tmp_path: Path) -> None:
    done = searched(root, tmp_path / "run.db", 2_000, "| head -n 1")
    assert b"Traceback" not in done.stderr
    said = rb"nobody reads the output any more \(Broken pipe\).*(?:start again|resume --db \S+)\n"
    assert re.search(said, done.stderr)


@pytest.mark.parametrize("redirect", [">&-", ">&- 2>&- <&-"])
def test_a_search_without_an_output_runs_to_its_end(redirect: str, root: Path, tmp_path: Path) -> None:
    done = searched(root, tmp_path / "run.db", 2, redirect)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"Traceback" not in done.stderr
    archive = Archive.open(tmp_path / "run.db")
    assert (archive.run().state, archive.judged()) == ("finished", 2)
    archive.close()


@pytest.mark.parametrize("name", ["ascii", "latin-1"])
def test_output_that_is_not_utf_8_ends_no_search_in_a_traceback(name: str, root: Path, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    shutil.copy(tiny.SEEDS / "vanilla.py", seeds / "mein_\u4e2d\u6587_\u00e9\u2026.py")
    source = (seeds / "mein_\u4e2d\u6587_\u00e9\u2026.py").read_text().replace("epochs=", "epochs=3 + ")
    (seeds / "mein_\u4e2d\u6587_\u00e9\u2026.py").write_text(source)
    done = searched(root, tmp_path / "l\u00e4uft.db", 2, "", "--seeds", str(seeds), **ENCODINGS[name])
    assert b"Traceback" not in done.stderr, done.stderr.decode("latin-1")
    assert done.returncode == 0, done.stderr
    done.stdout.decode(name)


def test_a_full_disk_behind_the_output_stops_a_search_with_a_sentence(root: Path, tmp_path: Path) -> None:
    done = searched(root, tmp_path / "run.db", 2_000, "> /dev/full")
    assert b"Traceback" not in done.stderr
    assert b"No space left on device" in done.stderr
    assert done.returncode != 0
