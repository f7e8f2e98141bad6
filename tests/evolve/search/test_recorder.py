from __future__ import annotations

from pathlib import Path

import pytest

from archives.archive import Archive
from archives.grid import Bins
from archives.nouns import MethodRecord, Placement, RunRecord
from evolve.config import Config
from evolve.islands.islands import Islands
from evolve.prompting.disclosure import Disclosure
from evolve.search.recorder import Recorder
from evolve.search.restore import memory_of
from evolve.search.state import SearchState
from evolve.selection.choice import Proposer
from evolve.selection.selector import Selector
from fitness import pgr
from fitness.nouns import Evaluation, Finding, Measure, Score, Split, Status, Trial, Verdict
from fitness.tasks.directions import DIRECTIONS

GRID = Bins((Measure("teacher_agreement", 0.5, 0.9, 4), Measure("size", 7, 11, 4)))
INSTANCES = 3


def scored(value: float) -> Score:
    return pgr.score(0.5 + 0.4 * value, 0.5, 0.9, 3000)


def evaluation(method: str, values: list[float], agreement: float = 0.6, fitness: bool = True, flag: str = "") -> Evaluation:
    trials = tuple(
        Trial(
            method,
            "t",
            "chat",
            i,
            Split.DEV,
            Status.OK,
            pgr.score(0.5 + 0.4 * v, 0.5, 0.9, 3000),
            {"teacher_agreement": agreement},
        )
        for i, v in enumerate(values)
    )
    findings = (Finding(flag, Verdict.FAILED, 1.0, 0.5, "it cheats"),) if flag else ()
    bound, measures = min(values) if fitness else None, {"teacher_agreement": agreement, "size": 8.0}
    return Evaluation(method, trials, Status.OK, bound, measures, findings=findings)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    config = Config(dev_instances=INSTANCES, islands=3, migrate_every=10, reset_every=20)
    archive = Archive.create(tmp_path / "run.db")
    archive.add_run(RunRecord("r", "now", "t", "1", "v", "{}", 0, "running", "B", "0"))
    islands, state = Islands(3, GRID), SearchState()
    selector = Selector(islands, state.ranked_seeds, [Proposer("graft", 2, "")], DIRECTIONS, 0.5)
    ledger, tell = Disclosure(archive, config.domains), lambda *event: archive.event(*event)
    made = Recorder(archive, islands, selector, state, ledger, config, tell)
    for name, quality in (("low", 0.1), ("middle", 0.2), ("high", 0.4)):
        add(made, name, "seed")
        done = evaluation(name, [quality - 0.05, quality, quality + 0.05], 0.7 if name == "high" else 0.85)
        made.record(done, None)
        for island in range(3):
            made.place(done, island)
    return made


def add(recorder: Recorder, name: str, origin: str = "search") -> None:
    method = MethodRecord(name, f"source of {name}", 200, name, origin, name, (), (1,) * 64)
    recorder.archive.add_method(method)
    recorder.state.add_method(method)


def elites(recorder: Recorder) -> dict[tuple[int, int], str]:
    mirrored = {(e.island, e.cell): e.method for cells in recorder.islands for e in cells.values()}
    assert mirrored == {(e.island, e.cell): e.method for e in recorder.archive.elites()}, "the mirror is the archive"
    return mirrored


def test_the_rival_is_the_fittest_of_the_island(recorder: Recorder) -> None:
    before = [list(recorder.rival(island)) for island in range(3)]
    add(recorder, "star")
    done = evaluation("star", [0.8, 0.9, 1.0], 0.6)
    recorder.record(done, None)
    assert recorder.place(done, 1) is Placement.NEW
    assert list(recorder.rival(1)) == pytest.approx([0.8, 0.9, 1.0])
    assert [list(recorder.rival(island)) for island in (0, 2)] == [before[0], before[2]], "islands evolve apart"
    recorder.islands[0].clear()
    assert not recorder.rival(0), "there is nobody to race"


def test_a_method_without_a_fitness_is_kept_and_not_placed(recorder: Recorder) -> None:
    add(recorder, "stopped")
    done = evaluation("stopped", [0.9, 0.9], 0.5, fitness=False)
    recorder.record(done, None)
    assert recorder.place(done, 0) is Placement.REJECTED
    assert "stopped" not in elites(recorder).values()
    assert recorder.archive.evaluations(method="stopped")[0]["pgr_low"] is None


def test_migration_copies_the_best_to_the_next_island(recorder: Recorder) -> None:
    add(recorder, "star")
    done = evaluation("star", [0.8, 0.9, 1.0], 0.6)
    recorder.record(done, None)
    assert recorder.place(done, 1) is Placement.NEW
    recorder.mix(10, late=False)
    where = {island for (island, _), method in elites(recorder).items() if method == "star"}
    assert where == {1, 2}
    assert recorder.archive.rows("select count(*) as n from events where kind = 'migration'")[0]["n"] == 1


def test_a_reset_starts_the_worst_island_again_from_seeds_and_a_survivors_best(recorder: Recorder) -> None:
    for island, quality in ((0, 0.5), (1, 0.7), (2, 0.9)):
        name = f"best{island}"
        add(recorder, name)
        done = evaluation(name, [quality] * 3, 0.6)
        recorder.record(done, None)
        recorder.place(done, island)
    recorder.mix(20, late=False)
    first = {method for (island, _), method in elites(recorder).items() if island == 0}
    assert "best0" not in first
    assert first & {"best1", "best2"}
    assert "high" in first
    assert recorder.archive.methods("id = 'best0'"), "what left the grid stays in the archive"


def test_late_in_a_run_no_island_is_reset(recorder: Recorder) -> None:
    before = elites(recorder)
    recorder.mix(20, late=True)
    assert elites(recorder) == before


def test_a_flagged_method_is_kept_and_never_placed(recorder: Recorder) -> None:
    add(recorder, "cheat")
    done = evaluation("cheat", [0.9, 0.9, 0.9], 0.5, flag="shuffle")
    assert recorder.islands.would_place(done, 0)
    recorder.record(done, None)
    assert recorder.place(done, 0) is Placement.REJECTED
    assert "cheat" not in elites(recorder).values()
    assert recorder.state.best != "cheat"
    assert [m.id for m in recorder.state.finalists(9)] == ["high"]
    assert [m.id for m in recorder.state.finalists(9, ["high"])] == ["middle"], "the next fittest takes its place"
    board = recorder.archive.rows("select flags, island from leaderboard where method = 'cheat'")
    assert [dict(row) for row in board] == [{"flags": "shuffle", "island": None}]
    assert [finding.sentence for finding in recorder.archive.findings("cheat")] == ["it cheats"]


def test_only_a_fitter_method_than_the_cells_elite_would_be_placed(recorder: Recorder) -> None:
    assert recorder.islands.would_place(evaluation("x", [0.36] * 3, 0.7), 0)
    assert not recorder.islands.would_place(evaluation("x", [0.35] * 3, 0.7), 0)
    assert recorder.islands.would_place(evaluation("x", [-0.5] * 3, 0.55), 0), "its cell is empty"
    assert not recorder.islands.would_place(evaluation("x", [0.9] * 3, 0.55, fitness=False), 0)


def test_a_prompt_shows_the_ladders_answer_and_nothing_finer(recorder: Recorder) -> None:
    for name, value in (("first", 0.411), ("lower", 0.333), ("barely", 0.449), ("clearly", 0.52)):
        add(recorder, name)
        recorder.record(evaluation(name, [value] * 3), None, ["high"])
    shown = {name: recorder.exhibit(name).scores[0] for name in ("first", "lower", "barely", "clearly")}
    assert [(s.rung, s.raised) for s in shown.values()] == [
        (pytest.approx(0.66), False),
        (pytest.approx(0.66), False),
        (pytest.approx(0.66), False),
        (pytest.approx(0.7), True),
    ]
    assert shown["clearly"].pgr == pytest.approx(0.5)
    assert shown["lower"].pgr == pytest.approx(0.4)


def test_a_method_that_was_stopped_asked_the_ladder_nothing(recorder: Recorder) -> None:
    add(recorder, "stopped")
    recorder.record(evaluation("stopped", [0.9, 0.9], fitness=False), None, ["high"])
    assert recorder.exhibit("stopped").scores == ()
    [look] = recorder.archive.looks("method = 'stopped'")
    assert (look.who, look.instances, look.answer, look.lineage) == ("engine", 2, None, "high")


def test_every_look_is_in_the_ledger_by_lineage_and_by_who_looked(recorder: Recorder) -> None:
    add(recorder, "child")
    add(recorder, "grandchild")
    recorder.record(evaluation("child", [0.5] * 3), None, ["low"])
    recorder.record(evaluation("grandchild", [0.6] * 3), None, ["child", "high"])
    recorder.disclosure.prompted("openai:x", 7, ["grandchild"])
    lookers = recorder.archive.rows("select who, lineage, looks from lookers order by who, lineage")
    assert [tuple(row.values()) for row in lookers] == [
        ("engine", "high", 1),
        ("engine", "low", 3),
        ("engine", "middle", 1),
        ("openai:x", "low", 1),
    ]
    [prompt] = recorder.archive.looks("who = 'openai:x'")
    assert prompt.why == "the brief of proposal 7"
    assert prompt.answer == pytest.approx(0.74)


def test_the_ledger_is_taken_up_where_it_ended(recorder: Recorder) -> None:
    for name, value in (("one", 0.5), ("two", 0.3)):
        add(recorder, name)
        recorder.record(evaluation(name, [value] * 3), None, ["low"])
    again = Disclosure(recorder.archive, ["chat"])
    for name in ("one", "two", "low", "high"):
        assert again.scores(name) == recorder.disclosure.scores(name)
    assert again.ancestor_seed("two") == "low"
    third = evaluation("three", [0.54] * 3)
    add(recorder, "three")
    again.judged(third, ["two"])
    recorder.disclosure.judged(third, ["two"])
    assert again.scores("three") == recorder.disclosure.scores("three")


def test_memory_is_rebuilt_from_the_archive(recorder: Recorder) -> None:
    add(recorder, "star")
    recorder.record(evaluation("star", [0.8, 0.9, 1.0]), None)
    again = memory_of(recorder.archive)
    for name in ("judged", "scored", "best", "best_interval", "baselines"):
        assert getattr(again, name) == getattr(recorder.state, name), name
    assert all(again.pgrs(name) == recorder.state.pgrs(name) for name in again.scored)
    assert again.best == "star"
