"""Exported methods: what an archive of an earlier version hides is there to see, and the file is still a method."""

import contextlib
import io
import sys
from pathlib import Path

import pytest

from archives.archive import Archive
from evolve.report import progress, streams
from evolve.report.export import write_best
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from tests.support.example_run import build

HIDDEN = "\u200b\u202e\U000e0041\u3164\u2800\ufe0f\u00ad"


def test_what_a_stored_source_hides_is_an_escape_in_the_exported_file_which_is_still_a_method(tmp_path: Path) -> None:
    build(tmp_path / "run.db", 4)
    with contextlib.closing(Archive.open(tmp_path / "run.db", write=True)) as archive:
        method = archive.methods()[0].id
        source = f'\ufeffMARK = "{HIDDEN}"  # {HIDDEN}\n\n\ndef method(problem):\n    return problem.weak[:, 1]\n'
        with archive.transaction():
            archive._db.execute("update methods set source = ?, name = ? where id = ?", [source, f"a{HIDDEN}", method])
        text = write_best(archive, method, tmp_path / "best.py").read_text(encoding="utf-8")
    assert not set(HIDDEN + "\ufeff") & set(text)
    with WorkerProcess() as worker:
        assert Screen(worker).check(text).method
    found: dict[str, str] = {}
    exec(text, found)
    assert found["MARK"] == HIDDEN


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_progress_is_printed_in_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    paper = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(paper, encoding))
    with progress.choose() as shown:
        shown.event("note", "\u4e2d \u2026 \u00e9 \ud800")
    written = paper.getvalue().decode(encoding)
    assert written == {"ascii": "\\u4e2d ... \\xe9 \\ud800\n", "latin-1": "\\u4e2d ... \xe9 \\ud800\n"}.get(
        encoding, "\u4e2d \u2026 \u00e9 \\ud800\n"
    )


def test_every_character_of_ours_has_a_plain_one() -> None:
    ours = {character for character in streams._PLAIN if not character.isascii()}
    assert all(plain.isascii() for plain in streams._PLAIN.values())
    assert set("\u2026\u2013\u2212\u00b7\u2691\u2588\u2502\u2500\u2265\u2192") <= ours
