from __future__ import annotations

import json
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from archives.archive import Archive
from evolve.cli import run
from evolve.cli.verbs.credit import in_words
from evolve.errors import UsageError
from evolve.study.credit import Credit, Edge, credit, judge_line, line_of
from fitness.nouns import Split
from tests.support import tiny

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def searched(_module_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose champion is some steps away from its seed."""
    db = tmp_path_factory.mktemp("credit") / "run.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVOLVE_HOME", str(_module_home))
        tiny.register(patch)
        assert run(["start", *tiny.SMALL, "--evals", "8", "--workers", "1", "--strategy", "sequential", "--db", str(db)]) == 0
    return db


def deepest(archive: Archive) -> str:
    """Return the bred method with the longest line."""
    bred = [m.id for m in archive.methods("origin = 'search'")]
    return max(bred, key=lambda method: len(line_of(archive, method)))


def test_every_step_of_a_line_is_judged_and_told(
    searched: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.register(monkeypatch)
    with closing(Archive.open(searched)) as archive:
        method = deepest(archive)
        line = [ancestor.method for ancestor in line_of(archive, method)]
        looks = len(archive.rows("select 1 from looks"))
    assert len(line) > 2
    assert run(["credit", method, "--db", str(searched), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [edge["child"] for edge in found["edges"]] == line[1:]
    assert [edge["parent"] for edge in found["edges"]] == line[:-1]
    assert sum(edge["fresh"] for edge in found["edges"]) == pytest.approx(found["fresh"]), "paired gains add up"
    with closing(Archive.open(searched)) as archive:
        structures = {m.id: m.structure for m in archive.methods()}
        for edge in found["edges"]:
            alike = structures[edge["parent"]] == structures[edge["child"]]
            assert edge["kind"] == ("constants" if alike else "structure")
            assert 0 <= edge["readded"] <= edge["added"]
            assert len(archive.trials(edge["child"], Split.FRESH, "chat")) == 3
        assert len(archive.rows("select 1 from looks")) > looks, "every look at a score is in the ledger"
        again = len(archive.rows("select 1 from evaluations"))
    judge_line(searched, method, lambda text: pytest.fail(f"judged again: {text}"))
    assert run(["credit", method, "--db", str(searched)]) == 0
    assert "fresh instances" in capsys.readouterr().out
    with closing(Archive.open(searched)) as archive:
        assert len(archive.rows("select 1 from evaluations")) == again
        assert credit(archive, method, 0.5).control is not None
    assert run(["replay", "--db", str(searched)]) == 0, "what is judged afterwards is no part of the search"


def test_a_seed_has_no_credit_and_a_run_must_be_finished(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.register(monkeypatch)
    assert run(["credit", "lda", "--db", str(searched)]) == 2
    assert "bred methods" in capsys.readouterr().err
    assert run(["credit", "--control", str(searched), "--db", str(searched)]) == 2
    assert "strategy tune" in capsys.readouterr().err
    copy = tmp_path / "copy.db"
    assert run(["archive", "backup", str(copy), "--db", str(searched)]) == 0
    with closing(Archive.open(copy, write=True)) as archive:
        archive.update_run(state="interrupted")
        method = deepest(archive)
    with pytest.raises(UsageError, match="resume"):
        judge_line(copy, method, print)


@pytest.mark.slow
def test_the_control_is_made_when_it_is_asked_for(searched: Path) -> None:
    def credited(*more: str) -> subprocess.CompletedProcess[str]:
        command = tiny.command("credit", "--db", str(searched), *more)
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    done = credited("--retune", "2")
    assert done.returncode == 0, done.stderr
    assert "Control: a run that only tuned the constants" in " ".join(done.stdout.split())
    made = searched.with_name(f"{searched.stem}-retuned") / "tune-0.db"
    again = credited("--control", str(made), "--json")
    assert json.loads(again.stdout)["control"] is not None
    assert "another study" in credited("--retune", "3").stderr
    assert credited("--retune", "2", "--control", str(made)).returncode == 2


def edge(kind: str, dev: float, fresh: float, low: float | None) -> Edge:
    return Edge("a" * 16, "b" * 16, "insert", "add rounds", kind, dev, fresh, low, 10, 2)  # type: ignore[arg-type]


def test_a_report_in_words_says_what_gained_and_what_vanished() -> None:
    edges = (edge("structure", 0.2, 0.15, 0.1), edge("constants", 0.1, -0.02, -0.05), edge("structure", 0.05, 0.07, -0.01))
    words = in_words(Credit("champ", "lda", 20, edges, 0.35, 0.2, 0.16, 0.03))
    assert "+0.20 PGR above lda" in words
    assert "0.15 of the gain vanished" in words
    assert "2 steps changed the structure: +0.22 on fresh instances (+0.25 on dev)" in words
    assert "1 step changed constants only: -0.02" in words
    assert "1 step gained on dev and nothing on fresh" in words
    assert "bbbbbbbb by insert (add rounds): +0.15, surely above 0" in words
    assert "came +0.03 from lda" in words
    assert "Of the 30 lines that were added on the way, 6 had been deleted" in words


def test_a_report_from_fewer_than_four_instances_gives_no_bound() -> None:
    words = in_words(Credit("champ", "lda", 3, (edge("structure", 0.2, 0.15, None),), 0.35, 0.2, None))
    assert "(n = 3: too few for a bound)" in words
    assert "+0.15, on too few instances to be sure." in words
    assert "inf" not in words
