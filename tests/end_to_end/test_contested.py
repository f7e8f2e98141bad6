"""A finalist that a probe fails on fresh instances is shown as contested, with the evidence, wherever results are shown."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import evolve
from archives.archive import Archive
from evolve.cli import run
from fitness.judge import Judge
from fitness.nouns import Finding, Method, Split, Trial, Verdict
from tests.support import tiny

SEEN = "PGR 0.75, and 0.06 with principal components turned round"


@contextlib.contextmanager
def failing(fails: Callable[[Trial], bool]) -> Iterator[None]:
    """Let the probe `frame` fail every method where a test says so, and nothing else be found."""

    def examine(judge: Judge, method: Method, trial: Trial, *how: Any) -> tuple[Finding, ...]:
        verdict = Verdict.FAILED if trial.split is Split.FRESH and fails(trial) else Verdict.PASSED
        return (Finding("frame", verdict, 0.69, 0.15, SEEN),)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Judge, "examine", examine)
        yield


def start(*more: str) -> dict[str, Any]:
    """Run a tiny search; return what `--json` says at its end."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run(["start", *tiny.SMALL, "--set", "finalists=2", "--evals", "8", "--db", "run.db", "--json", *more]) == 0
    return dict(json.loads(out.getvalue().splitlines()[-1])["end"])


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


def test_a_champion_that_one_fresh_instance_contests_keeps_its_place_and_every_output_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One draw on one weak instance took the best method ever seen here out of the table."""
    with failing(lambda trial: trial.domain == "chat" and trial.instance == 0):
        result = start()["result"]
    champion = result["contenders"][0]
    contested = {one["id"]: one for one in result["contested"]}
    assert contested[champion["id"]]["flagged"] is False
    assert "frame failed on 1 of " in contested[champion["id"]]["evidence"][0]
    assert SEEN in contested[champion["id"]]["evidence"][0]
    (row, *_) = evolve.open_run("run.db").contested()
    assert (row["flagged"], row["pgr"] is not None, SEEN in row["evidence"][0]) == (False, True, True)
    capsys.readouterr()
    assert run(["report", "--db", "run.db", "--format", "md", "--out", "run.md"]) == 0
    for path in ("run.html", "run.md"):
        text = Path(path).read_text("utf-8")
        assert "Contested" in text
        assert "kept" in text
        assert SEEN in text


def test_a_finalist_that_loses_its_place_is_never_silently_gone(capsys: pytest.CaptureFixture[str]) -> None:
    """The fittest finalist is flagged; the table names it with its fresh PGR and the evidence."""
    flagged = list[str]()

    def fittest(trial: Trial) -> bool:
        flagged.append(trial.method)
        return trial.method == flagged[0]

    with failing(fittest):
        assert run(["start", *tiny.SMALL, "--set", "finalists=2", "--evals", "8", "--db", "run.db"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "(lost its place), fresh" in out
    assert "frame failed on 3 of 3 instances (chat" in out
    archive = Archive.open(Path("run.db"), write=True)
    assert archive.flags() == {flagged[0]: "frame"}
    assert archive.run().champion not in ("", flagged[0])
    archive.insert("reviews", {"method": flagged[0], "verdict": "approved", "reason": "read", "reviewer": "a person"})
    assert archive.flags() == {}  # a person overruled it
    archive.close()
    assert Path("run.html").read_text("utf-8").count(SEEN) >= 1


def test_held_out_domains_are_judged_with_probes_too() -> None:
    """Honest wherever the search looks, a cheat elsewhere: it has no place in the table."""
    with failing(lambda trial: trial.domain == "math"):
        end = start("--set", "finalists=1")
    assert end["result"] is None
    archive = Archive.open(Path("run.db"))
    (method,) = archive.flags()
    found = archive.findings(method, Split.FRESH)
    archive.close()
    assert {finding.domain for finding in found if finding.verdict is Verdict.FAILED} == {"math"}
