"""The verdict says by how much the champion is better, and what that is; a small difference is called narrow."""

from __future__ import annotations

from pathlib import Path

import pytest

from archives.archive import Archive
from evolve.queries import final_table
from evolve.queries.run_report import collect
from evolve.report.html.header import headline
from evolve.search.final_result import sentence
from tests.support.example_run import build


def test_a_large_and_a_narrow_difference_do_not_read_alike() -> None:
    large, narrow = sentence("a", "lda", (0.36, 0.3, 0.42), 20), sentence("a", "lda", (0.02, 0.004, 0.036), 20)
    assert "beats the human best, lda, by PGR +0.36" in large
    assert "[+0.30, +0.42]" in large
    assert "36% more of the gap between floor and ceiling" in large
    assert "narrowly" not in large
    assert "beats the human best, lda, narrowly by PGR +0.02" in narrow
    assert "surely at least 0.4%" in narrow


@pytest.mark.parametrize(("ends", "said"), [((0.1, -0.1, 0.3), "which holds 0"), ((-0.2, -0.3, -0.1), "which lies below 0")])
def test_what_is_not_shown_says_the_interval_too(ends: tuple[float, float, float], said: str) -> None:
    text = sentence("a", "lda", ends, 20)
    assert text.startswith("not shown: ")
    assert said in text


def test_the_headline_of_page_and_markdown_gives_the_difference_with_its_interval(tmp_path: Path) -> None:
    archive = Archive.open(build(tmp_path / "run.db", 60))
    report, found = collect(archive, alive=False), final_table.verdict(archive, archive.run())
    assert (found.low or 0.0) < (found.difference or 0.0) < (found.high or 0.0)
    assert found.difference == pytest.approx(report.comparisons[0].difference)
    assert headline(report).startswith("The champion beats the human best")
    assert headline(report).endswith("] PGR")
