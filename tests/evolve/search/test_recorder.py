from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.grid import Bins
from archives.nouns import MethodRecord, Placement, RunRecord
from evolve.config import Config
from evolve.islands.islands import Islands
from evolve.nouns import Exhibit
from evolve.prompting.disclosure import Disclosure
from evolve.search.ablations import AblationQueue
from evolve.search.feedback import Feedback
from evolve.search.recorder import Listeners, Recorder
from evolve.search.restore import state_of
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


@dataclass(frozen=True)
class Run:
    """A recorder, and what it writes to and tells."""

    archive: Archive
    listeners: Listeners
    disclosure: Disclosure
    recorder: Recorder

    @property
    def state(self) -> SearchState:
        return self.listeners.state

    def add(self, name: str, origin: str = "search") -> None:
        """Let a method pass the screen."""
        method = MethodRecord(name, f"source of {name}", 200, name, origin, name, (), (1,) * 64)
        self.archive.add_method(method)
        self.listeners.passed(method)

    def exhibit(self, name: str) -> Exhibit:
        return self.disclosure.exhibit(self.state.methods[name])


def listeners() -> Listeners:
    islands, state = Islands(3, GRID), SearchState()
    selector = Selector(islands, state.ranked_seeds, [Proposer("graft", 2, "")], DIRECTIONS, 0.5)
    return Listeners(state, islands, selector, Feedback(state, str), AblationQueue(state, lambda _: ()))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    config = Config(dev_instances=INSTANCES, islands=3, migrate_every=10, reset_every=20)
    archive = Archive.create(tmp_path / "run.db")
    archive.add_run(RunRecord("r", "now", "t", "1", "v", "{}", 0, "running", "B", "0"))
    told, ledger = listeners(), Disclosure(archive, config.domains, kind="ladder")
    made = Run(archive, told, ledger, Recorder(archive, config, told, ledger, archive.event))
    for name, quality in (("low", 0.1), ("middle", 0.2), ("high", 0.4)):
        made.add(name, "seed")
        done = evaluation(name, [quality - 0.05, quality, quality + 0.05], 0.7 if name == "high" else 0.85)
        made.recorder.judged(done)
        for island in range(3):
            made.recorder.place(done, island)
    return made


def elites(run: Run) -> dict[tuple[int, int], str]:
    mirrored = {(e.island, e.cell): e.method for cells in run.listeners.islands for e in cells.values()}
    assert mirrored == {(e.island, e.cell): e.method for e in run.archive.elites()}, "the mirror is the archive"
    return mirrored


def test_the_rival_is_the_fittest_of_the_island(run: Run) -> None:
    before = [list(run.recorder.rival(island)) for island in range(3)]
    run.add("star")
    done = evaluation("star", [0.8, 0.9, 1.0], 0.6)
    run.recorder.judged(done)
    assert run.recorder.place(done, 1) is Placement.NEW
    assert list(run.recorder.rival(1)) == pytest.approx([0.8, 0.9, 1.0])
    assert [list(run.recorder.rival(island)) for island in (0, 2)] == [before[0], before[2]], "islands evolve apart"
    run.listeners.islands[0].clear()
    assert not run.recorder.rival(0), "there is nobody to race"


def test_a_method_without_a_fitness_is_kept_and_not_placed(run: Run) -> None:
    run.add("stopped")
    done = evaluation("stopped", [0.9, 0.9], 0.5, fitness=False)
    run.recorder.judged(done)
    assert run.recorder.place(done, 0) is Placement.REJECTED
    assert "stopped" not in elites(run).values()
    assert run.archive.evaluations(method="stopped")[0]["pgr_low"] is None


def test_migration_copies_the_best_to_the_next_island(run: Run) -> None:
    run.add("star")
    done = evaluation("star", [0.8, 0.9, 1.0], 0.6)
    run.recorder.judged(done)
    assert run.recorder.place(done, 1) is Placement.NEW
    run.recorder.mix(10, late=False)
    where = {island for (island, _), method in elites(run).items() if method == "star"}
    assert where == {1, 2}
    assert run.archive.rows("select count(*) as n from events where kind = 'migration'")[0]["n"] == 1


def test_a_reset_starts_the_worst_island_again_from_seeds_and_a_survivors_best(run: Run) -> None:
    for island, quality in ((0, 0.5), (1, 0.7), (2, 0.9)):
        name = f"best{island}"
        run.add(name)
        done = evaluation(name, [quality] * 3, 0.6)
        run.recorder.judged(done)
        run.recorder.place(done, island)
    run.recorder.mix(20, late=False)
    first = {method for (island, _), method in elites(run).items() if island == 0}
    assert "best0" not in first
    assert first & {"best1", "best2"}
    assert "high" in first
    assert run.archive.methods("id = 'best0'"), "what left the grid stays in the archive"


def test_late_in_a_run_no_island_is_reset(run: Run) -> None:
    before = elites(run)
    run.recorder.mix(20, late=True)
    assert elites(run) == before


def test_a_flagged_method_is_kept_and_never_placed(run: Run) -> None:
    run.add("cheat")
    done = evaluation("cheat", [0.9, 0.9, 0.9], 0.5, flag="shuffle")
    assert run.listeners.islands.would_place(done, 0)
    run.recorder.judged(done)
    assert run.recorder.place(done, 0) is Placement.REJECTED
    assert "cheat" not in elites(run).values()
    assert run.state.best != "cheat"
    assert run.state.finalists(9) == [], "a baseline is never what the search has found"
    for name, quality in (("good", 0.6), ("fair", 0.4)):
        run.add(name)
        run.recorder.judged(evaluation(name, [quality] * 3, 0.5))
    assert [m.id for m in run.state.finalists(9)] == ["good", "fair"]
    assert [m.id for m in run.state.finalists(9, ["good"])] == ["fair"], "the next fittest takes its place"
    board = run.archive.rows("select flags, island from leaderboard where method = 'cheat'")
    assert [dict(row) for row in board] == [{"flags": "shuffle", "island": None}]
    assert [finding.sentence for finding in run.archive.findings("cheat")] == ["it cheats"]


def test_only_a_fitter_method_than_the_cells_elite_would_be_placed(run: Run) -> None:
    assert run.listeners.islands.would_place(evaluation("x", [0.36] * 3, 0.7), 0)
    assert not run.listeners.islands.would_place(evaluation("x", [0.35] * 3, 0.7), 0)
    assert run.listeners.islands.would_place(evaluation("x", [-0.5] * 3, 0.55), 0), "its cell is empty"
    assert not run.listeners.islands.would_place(evaluation("x", [0.9] * 3, 0.55, fitness=False), 0)


def test_a_prompt_shows_the_ladders_answer_and_nothing_finer(run: Run) -> None:
    for name, value in (("first", 0.411), ("lower", 0.333), ("barely", 0.449), ("clearly", 0.52)):
        run.add(name)
        run.recorder.judged(evaluation(name, [value] * 3), None, ["high"])
    shown = {name: run.exhibit(name).line for name in ("first", "lower", "barely", "clearly")}
    none = "not shown to be better than the best before it, which had PGR about 0.40; it may be far worse"
    assert shown["first"] == shown["lower"] == shown["barely"] == none
    assert shown["clearly"] == "PGR about 0.50, the best of its time"


def test_a_method_that_was_stopped_asked_the_ladder_nothing(run: Run) -> None:
    run.add("stopped")
    run.recorder.judged(evaluation("stopped", [0.9, 0.9], fitness=False), None, ["high"])
    assert run.exhibit("stopped").line == ""
    [look] = run.archive.looks("method = 'stopped'")
    assert (look.who, look.instances, look.answer, look.lineage) == ("engine", 2, None, "high")


def test_every_look_is_in_the_ledger_by_lineage_and_by_who_looked(run: Run) -> None:
    run.add("child")
    run.add("grandchild")
    run.recorder.judged(evaluation("child", [0.5] * 3), None, ["low"])
    run.recorder.judged(evaluation("grandchild", [0.6] * 3), None, ["child", "high"])
    run.disclosure.prompted("openai:x", 7, [(run.state.methods["grandchild"], "child")])
    lookers = run.archive.rows("select who, lineage, looks from lookers order by who, lineage")
    assert [tuple(row.values()) for row in lookers] == [
        ("engine", "high", 1),
        ("engine", "low", 3),
        ("engine", "middle", 1),
        ("openai:x", "low", 1),
    ]
    [prompt] = run.archive.looks("who = 'openai:x'")
    assert prompt.why == "the brief of proposal 7"
    assert prompt.answer == pytest.approx(0.74)


def test_the_ledger_is_taken_up_where_it_ended(run: Run) -> None:
    for name, value in (("one", 0.5), ("two", 0.3)):
        run.add(name)
        run.recorder.judged(evaluation(name, [value] * 3), None, ["low"])
    again = Disclosure(run.archive, ["chat"], kind="ladder")
    for name in ("one", "two", "low", "high"):
        assert again.exhibit(run.state.methods[name]) == run.exhibit(name)
    assert again.ancestor_seed("two") == "low"
    third = evaluation("three", [0.54] * 3)
    run.add("three")
    again.judged(third, ["two"])
    run.disclosure.judged(third, ["two"])
    assert again.exhibit(run.state.methods["three"]) == run.exhibit("three")


def test_memory_is_rebuilt_from_the_archive(run: Run) -> None:
    run.add("star")
    run.recorder.judged(evaluation("star", [0.8, 0.9, 1.0]))
    again = state_of(run.archive)
    for name in ("judged", "scored", "best", "best_interval", "baselines"):
        assert getattr(again, name) == getattr(run.state, name), name
    assert all(again.pgrs(name) == run.state.pgrs(name) for name in again.scored)
    assert again.best == "star"
