from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archives.archive import Archive
from archives.nouns import (
    ArchiveError,
    CallRecord,
    Elite,
    ExperimentRecord,
    MethodRecord,
    Placement,
    ProposalRecord,
    Records,
    RunRecord,
    Usage,
)
from fitness.nouns import Direction, Evaluation, Finding, Interval, Score, Split, Status, Trial, Verdict


def run_record(**changes: object) -> RunRecord:
    plain = RunRecord("r", "2026-01-01", "embedded", "1", "v", "{}", 0, "running", "B", "0")
    return replace(plain, **changes)  # type: ignore[arg-type]


def method(name: str, origin: str = "search") -> MethodRecord:
    return MethodRecord(f"{name}-id", "def method(problem): ...", 7, name, origin, f"{name}-s", (1.0, 0.5), (1, 2, 3))


def trial(name: str, instance: int, value: float) -> Trial:
    score = Score(value, 0.02, 0.6, 0.5, 0.9, 3000)
    return Trial(f"{name}-id", "embedded", "chat", instance, Split.DEV, Status.OK, score, {"teacher_agreement": 0.7}, 0.1)


def evaluation(name: str, *values: float) -> Evaluation:
    trials = tuple(trial(name, i, v) for i, v in enumerate(values))
    return Evaluation(f"{name}-id", trials, Status.OK, min(values), {"teacher_agreement": 0.7, "size": 8.0})


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive.create(tmp_path / "run.db")
    made.add_run(run_record())
    made.add_direction(Direction("clean", "clean the labels", ("shape",)))
    made.add_method(method("vanilla", "seed"))
    made.add_evaluation(evaluation("vanilla", 0.1, 0.2), None, "chat", Split.DEV, Interval(0.15, 0.05, 0.25, 2))
    return made


def propose(archive: Archive, number: int, child: str) -> None:
    record = ProposalRecord(
        number, 0, "graft", "", "clean", ("vanilla-id",), "", "", "idea", "src", 0.5, "judging", "", f"{child}-id"
    )
    archive.add_method(method(child))
    archive.add_proposal(record)
    archive.add_calls([CallRecord(number, 1, "reply", "", Usage("m", 1, 10, 5, 0.25))])
    archive.add_evaluation(evaluation(child, 0.4, 0.6), number, "chat", Split.DEV, None)
    archive.set_proposal_state(number, "done", placement="NEW")


def test_what_is_written_is_read_back(archive: Archive) -> None:
    propose(archive, 1, "child")
    assert archive.run() == run_record()
    assert [m.name for m in archive.methods()] == ["vanilla", "child"]
    assert archive.methods()[1] == method("child")
    assert archive.trials("child-id", Split.DEV, "chat") == list(evaluation("child", 0.4, 0.6).trials)
    assert archive.proposals()[0].parents == ("vanilla-id",)


def test_experiments_are_read_back_counted_and_no_evaluations(archive: Archive) -> None:
    propose(archive, 1, "child")
    judged = archive.judged()
    tried = tuple(trial("variant", i, 0.5) for i in range(2))
    record = ExperimentRecord(1, "vanilla-id", "without it", "variant-id", "src", Status.OK, "", tried)
    refused = ExperimentRecord(1, "vanilla-id", "opens files", "", "src", Status.INVALID, "line 1: refused", ())
    archive.keep(Records((), (record, refused)))
    assert archive.records(1).experiments == (record, refused)
    assert [row["pgr"] for row in archive.rows("select pgr from experiments order by id")] == [0.5, None]
    assert (archive.tried(), archive.tried("proposal = 2"), archive.judged()) == (2, 0, judged)


@pytest.mark.parametrize(
    "trials", ["", "{}", "[1]", "[" * 5000, '[{"status": "OK"}]', '[{"pgr": 1, "status": "CRASHED"}]', "[{}]"]
)
def test_experiments_that_were_tampered_with_are_a_sentence(archive: Archive, trials: str) -> None:
    propose(archive, 1, "child")
    archive.add_experiments([ExperimentRecord(1, "vanilla-id", "x", "v", "src", Status.OK, "", ())])
    archive.execute("update experiments set trials = ?", [trials])
    with pytest.raises(ArchiveError, match="damaged or was tampered with"):
        archive.experiments()


def test_the_views_read_well(archive: Archive) -> None:
    propose(archive, 1, "child")
    archive.place(Elite(2, 5, "child-id", 0.4))
    top = archive.rows("select * from leaderboard")
    assert [row["name"] for row in top] == ["child", "vanilla"]
    assert list(top[0]) == [
        "method", "name", "origin", "fitness", "pgr", "pgr_low", "pgr_high", "fresh_pgr", "fresh_low", "fresh_high",
        "evaluations", "usd", "flags", "island", "cell", "trials", "inflation",
    ]  # fmt: skip
    assert (top[0]["pgr"], top[0]["usd"], top[0]["island"], top[0]["cell"]) == (0.5, 0.25, 2, 5)
    assert top[1]["pgr_low"] == 0.05
    edge = archive.rows("select * from lineage")[0]
    assert (edge["child"], edge["parent"], edge["gain"]) == ("child-id", "vanilla-id", 0.35)
    spent = {"model": "m", "calls": 1, "tokens_in": 10, "tokens_out": 5, "usd": 0.25, "cached": 0, "reasoning": 0}
    assert archive.rows("select * from costs") == [spent]


def test_an_unknown_price_stays_unknown(archive: Archive) -> None:
    archive.add_spend("model", Usage("m", 1, 10, 5, 0.25), None)
    archive.add_spend("model", Usage("m", 1, 10, 5, None), None)
    assert archive.rows("select usd from costs") == [{"usd": None}]


def test_failures_are_counted_by_reason(archive: Archive) -> None:
    failed = Evaluation("vanilla-id", (), Status.CRASHED, None, {}, "ValueError on line 3")
    archive.add_evaluation(failed, None, "chat", Split.DEV, None)
    archive.add_evaluation(failed, None, "chat", Split.DEV, None)
    assert archive.rows("select * from failures") == [{"status": "CRASHED", "reason": "ValueError on line 3", "count": 2}]
    assert archive.evaluations()[-1]["fitness"] is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.floats(-1, 1)), max_size=30))
def test_a_cell_keeps_the_fittest_and_the_first_of_equals(
    tmp_path_factory: pytest.TempPathFactory, stream: list[tuple[int, int, float]]
) -> None:
    archive = Archive.create(tmp_path_factory.mktemp("grid") / "run.db")
    expected: dict[tuple[int, int], tuple[str, float]] = {}
    for i, (island, cell, fitness) in enumerate(stream):
        archive.add_method(method(str(i)))
        placement = archive.place(Elite(island, cell, f"{i}-id", fitness))
        before = expected.get((island, cell))
        if before is None or fitness > before[1]:
            expected[island, cell] = (f"{i}-id", fitness)
            assert placement is (Placement.IMPROVED if before else Placement.NEW)
        else:
            assert placement is Placement.REJECTED
    assert {(e.island, e.cell): (e.method, e.fitness) for e in archive.elites()} == expected
    archive.close()


def test_a_method_that_is_flagged_leaves_the_grid(archive: Archive) -> None:
    for number, child in ((1, "cheat"), (2, "honest")):
        propose(archive, number, child)
        archive.place(Elite(0, number, f"{child}-id", 0.4))
        verdict = Verdict.FAILED if child == "cheat" else Verdict.PASSED
        archive.add_findings(f"{child}-id", trial(child, 0, 0.4), [Finding("swap", verdict, 0.9, 0.15, "as it was found")])
    assert archive.flagged() == {"cheat-id"}
    assert [elite.method for elite in archive.elites()] == ["honest-id"]


def test_a_transaction_is_all_or_nothing(archive: Archive) -> None:
    def half() -> None:
        with archive.transaction():
            archive.add_method(method("half"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert "half" not in [m.name for m in archive.methods()]


def test_readers_see_a_live_run_and_cannot_write(archive: Archive) -> None:
    reader = Archive.open(archive.path)
    propose(archive, 1, "child")
    assert len(reader.methods()) == 2
    with pytest.raises(ArchiveError, match="writing"):
        reader.add_method(method("other"))


def test_a_start_never_overwrites(archive: Archive) -> None:
    with pytest.raises(ArchiveError, match="already exists"):
        Archive.create(archive.path)


def test_a_missing_a_foreign_and_a_truncated_file_are_sentences(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no archive"):
        Archive.open(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("hello" * 1000)
    with pytest.raises(ArchiveError, match="not a database"):
        Archive.open(tmp_path / "text.db")
    sqlite3.connect(tmp_path / "other.db").execute("create table x (y)")
    with pytest.raises(ArchiveError, match="not an archive of evolve"):
        Archive.open(tmp_path / "other.db")
    archive.close()
    whole = archive.path.read_bytes()
    (tmp_path / "cut.db").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArchiveError, match="damaged"):
        Archive.open(tmp_path / "cut.db")
    assert archive.path.read_bytes() == whole


def test_a_newer_schema_is_refused_untouched(archive: Archive) -> None:
    archive.close()
    with sqlite3.connect(archive.path) as db:
        db.execute("insert into _sqlite_migrations (migration_set, name, applied_at) values ('evolve', 'm999_future', '2030')")
    with pytest.raises(ArchiveError, match="newer evolve"):
        Archive.open(archive.path, write=True)


def test_an_unwritable_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match="choose another place"):
        Archive.create(tmp_path / "file" / "run.db")
