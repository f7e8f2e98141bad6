"""How far a study is: what is read from the archives of its searches, and what a person sees of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from archives.archive import Archive
from evolve.cli.show.study import Told
from evolve.config import Config
from evolve.study import progress
from evolve.study.plan import Contestant, Plan
from evolve.study.progress import ProgressReader
from tests.support import tiny
from tests.support.example_run import build


@pytest.fixture
def contestants(tmp_path: Path) -> list[Contestant]:
    """A search that has ended, one that is going on, one that cannot be read, and one that has not begun."""
    found = list(Plan(tmp_path, ("map-elites", "islands", "iid", "tune"), 1, 100, Config()).contestants())
    build(found[0].path, 40)
    with contextlib.closing(Archive.open(build(found[1].path, 60), write=True)) as archive:
        archive.update_run(state="running")
    found[2].path.write_bytes(b"half a page")
    return found


def test_what_each_search_has_done(contestants: list[Contestant]) -> None:
    ended, going, broken, waiting = ProgressReader(contestants).look()
    assert [one.finished for one in (ended, going, broken, waiting)] == [True, False, False, False]
    assert [one.begun for one in (ended, going, broken, waiting)] == [True, True, False, False]
    with contextlib.closing(Archive.open(contestants[1].path)) as archive:
        bred = archive.rows("select pgr from leaderboard where origin = 'search' and flags = '' and fitness is not null")
        assert going.trials == archive.judged_trials() > 0
        assert round(going.best or 0.0, 3) in {row["pgr"] for row in bred}


def test_the_time_that_is_left_is_told_by_what_was_done_since(
    contestants: list[Contestant], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    observer = ProgressReader(contestants)
    before = observer.look()
    assert observer.left(before) is None
    with contextlib.closing(Archive.open(contestants[1].path, write=True)) as archive:
        archive.update_run(state="finished")
    now[0] += 60.0
    after = observer.look()
    done = contestants[1].trials - before[1].trials
    assert observer.left(after) == pytest.approx(2 * contestants[1].trials * 60.0 / done)


def test_a_line_tells_what_is_going_on(contestants: list[Contestant], capsys: pytest.CaptureFixture[str]) -> None:
    Told().show(ProgressReader(contestants).look(), 150.0)
    line = capsys.readouterr().out
    assert re.fullmatch(
        r"1 of 4 done, about 2 min left; islands, seed 0: \d+ of 1,000 trials, best so far: dev PGR \d\.\d\d\n", line
    ), line


@pytest.mark.slow
def test_a_terminal_shows_a_bar_for_every_search(tmp_path: Path) -> None:
    words = [*tiny.STUDY, "--evals", "20", "--strategies", "iid", "--repeats", "2", "--jobs", "1"]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = subprocess.Popen(
        tiny.command(*words, "--out", str(tmp_path / "study")), stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError), open(ours, "rb", buffering=0) as screen:  # the end is an error
        while part := screen.read(4096):
            seen += part
    assert process.wait(60) == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert re.search(r"iid, seed 0 +[█░#-]+ \d+ of 60 trials, best so far: dev PGR \d\.\d\d", plain), plain
    assert "1 of 2 done, about " in plain
    assert re.search(r"2 of 2 done: iid, seed 1: fresh PGR -?\d\.\d\d after \d+ methods, \d+ s", plain)
    assert "0/400" not in plain
