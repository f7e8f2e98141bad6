"""Where fewer than four instances are behind a mean, that is said wherever an interval would stand; JSON has null there."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from evolve.cli import run
from evolve.queries.run_report import collect
from tests.support import tiny

WIDE = re.compile(r"\[-?[\d.]+, -?[\d.]+\]")  # an interval, as it is shown


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.register(monkeypatch)


@pytest.fixture(scope="module")
def told(_module_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run with three fresh instances and one of each held-out domain, and what it printed at its end."""
    folder, printed = tmp_path_factory.mktemp("few"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        tiny.register(patch)
        patch.setenv("EVOLVE_HOME", str(_module_home))
        patch.chdir(folder)
        assert run(["start", *tiny.SMALL, "--evals", "12", "--seed", "4", "--db", "few.db"]) == 0
    return folder / "few.db", printed.getvalue()


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run([*arguments]) == 0
    return capsys.readouterr().out


def test_the_final_table_says_too_few_and_claims_nothing(told: tuple[Path, str]) -> None:
    table = told[1][told[1].index("PGR on instances") :]
    assert "[n = 3: too few]" in table
    assert table.count("[n = 1: too few]") >= 6, "three held-out domains, two methods"
    assert "3 are too few for an interval" in table.replace("\n    ", " ")
    assert "not shown" in table
    assert not WIDE.findall(table)


def test_the_page_the_markdown_and_the_verbs_show_no_interval(
    told: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(told[0])
    page = told[0].with_suffix(".html").read_text()
    assert "[n = 1: too few]" in page
    assert not WIDE.findall(re.sub(r"<script.*?</script>|<style.*?</style>|<pre.*?</pre>", "", page, flags=re.S))
    for verb in (["top"], ["show"], ["status"]):
        text = said(capsys, *verb, "--db", path)
        assert "n = 3: too few" in text, verb
        assert not WIDE.findall(text), verb
    markdown = said(capsys, "report", "--db", path, "--format", "md", "--out", "-")
    assert "[n = 1: too few]" in markdown
    assert not WIDE.findall(markdown)


def test_json_has_null_beside_n(told: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(said(capsys, "top", "--db", str(told[0]), "--json"))
    found: list[Any] = rows if isinstance(rows, list) else next(value for value in rows.values() if isinstance(value, list))
    judged = [row for row in found if row["fresh_pgr"] is not None]
    assert judged
    for row in judged:
        assert (row["fresh_low"], row["fresh_high"], row["fresh_instances"]) == (None, None, 3)
        assert (row["pgr_low"], row["pgr_high"]) == (None, None)


def test_judge_says_too_few(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tiny.TASK.seeds[0] / "vanilla.py")
    text = said(capsys, "judge", file, "--task", "tiny", "--instances", "3", "--no-probes", "--device", "cpu")
    assert "n = 3: too few for an interval" in text
    verdict = json.loads(
        said(capsys, "judge", file, "--task", "tiny", "--instances", "3", "--no-probes", "--device", "cpu", "--json")
    )
    assert (verdict["pgr_low"], verdict["pgr_high"]) == (None, None)
    text = said(capsys, "judge", file, "--task", "tiny", "--instances", "4", "--no-probes", "--device", "cpu")
    assert "90 % interval [" in text


def test_intervals_of_few_that_an_earlier_version_stored_are_not_shown(told: tuple[Path, str], tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(told[0]) as source, sqlite3.connect(path) as old:
        source.backup(old)
        old.execute("update evaluations set pgr_low = -3.01, pgr_high = 3.68 where pgr is not null")
    with contextlib.closing(Archive.open(path)) as archive:
        held = collect(archive, alive=False)
    sides = [side for line in held.comparisons for side in (line.champion, line.human) if side is not None]
    assert sides
    assert all(side.pgr_low is None and side.pgr_high is None for side in sides)
    assert all(row.pgr_low is None and row.fresh_high is None for row in held.leaderboard)
