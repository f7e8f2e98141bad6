from __future__ import annotations

from pathlib import Path

import pytest

from archives.archive import Archive
from archives.grid import Grid
from archives.nouns import MethodRecord, Placement, RunRecord
from evolve.config import Config
from evolve.directions import DIRECTIONS
from evolve.memory import Memory
from evolve.population import Population
from evolve.select import Selector, Source
from fitness.nouns import Evaluation, Measure, Score, Split, Status, Trial

GRID = Grid((Measure("teacher_agreement", 0.5, 0.9, 4), Measure("size", 7, 11, 4)))
INSTANCES = 3


def evaluation(method: str, values: list[float], agreement: float = 0.6, fitness: bool = True) -> Evaluation:
    trials = tuple(
        Trial(
            method, "t", "chat", i, Split.DEV, Status.OK, Score(v, 0.02, 0.6, 0.5, 0.9, 3000), {"teacher_agreement": agreement}
        )
        for i, v in enumerate(values)
    )
    return Evaluation(
        method, trials, Status.OK, min(values) if fitness else None, {"teacher_agreement": agreement, "size": 8.0}
    )


@pytest.fixture
def population(tmp_path: Path) -> Population:
    config = Config(dev_instances=INSTANCES, islands=3, migrate_every=10, reset_every=20)
    archive = Archive.create(tmp_path / "run.db")
    archive.add_run(RunRecord("r", "now", "t", "1", "v", "{}", 0, "running", "B", "0"))
    selector = Selector(3, [Source("graft", 2, "")], DIRECTIONS, 0.5)
    made = Population(archive, GRID, selector, Memory(), config, lambda *event: archive.event(*event))
    for name, quality in (("low", 0.1), ("middle", 0.2), ("high", 0.4)):
        add(made, name, "seed")
        done = evaluation(name, [quality - 0.05, quality, quality + 0.05], 0.7 if name == "high" else 0.85)
        made.record(done, None)
        for island in range(3):
            made.place(done, island)
    return made


def add(population: Population, name: str, origin: str = "search") -> None:
    method = MethodRecord(name, f"source of {name}", 200, name, origin, name, (), (1,) * 64)
    population.archive.add_method(method)
    population.memory.add_method(method)


def elites(population: Population) -> dict[tuple[int, int], str]:
    mirrored = {(e.island, e.cell): e.method for cells in population.selector.elites for e in cells.values()}
    assert mirrored == {(e.island, e.cell): e.method for e in population.archive.elites()}, "the mirror is the archive"
    return mirrored


def test_the_rival_is_the_cells_elite_or_the_seeds_median(population: Population) -> None:
    taken = {"teacher_agreement": 0.7, "size": 8.0}
    assert list(population.rival(0, taken)) == pytest.approx([0.35, 0.4, 0.45])
    empty = {"teacher_agreement": 0.55, "size": 10.0}
    assert list(population.rival(0, empty)) == pytest.approx([0.15, 0.2, 0.25])


def test_a_method_without_a_fitness_is_kept_and_not_placed(population: Population) -> None:
    add(population, "stopped")
    done = evaluation("stopped", [0.9, 0.9], 0.5, fitness=False)
    population.record(done, None)
    assert population.place(done, 0) is Placement.REJECTED
    assert "stopped" not in elites(population).values()
    assert population.archive.evaluations(method="stopped")[0]["pgr_low"] is None


def test_migration_copies_the_best_to_the_next_island(population: Population) -> None:
    add(population, "star")
    done = evaluation("star", [0.8, 0.9, 1.0], 0.6)
    population.record(done, None)
    assert population.place(done, 1) is Placement.NEW
    population.mix(10, late=False)
    where = {island for (island, _), method in elites(population).items() if method == "star"}
    assert where == {1, 2}
    assert population.archive.rows("select count(*) as n from events where kind = 'migration'")[0]["n"] == 1


def test_a_reset_starts_the_worst_island_again_from_seeds_and_a_survivors_best(population: Population) -> None:
    for island, quality in ((0, 0.5), (1, 0.7), (2, 0.9)):
        name = f"best{island}"
        add(population, name)
        done = evaluation(name, [quality] * 3, 0.6)
        population.record(done, None)
        population.place(done, island)
    population.mix(20, late=False)
    first = {method for (island, _), method in elites(population).items() if island == 0}
    assert "best0" not in first
    assert first & {"best1", "best2"}
    assert "high" in first
    assert population.archive.methods("id = 'best0'"), "what left the grid stays in the archive"


def test_late_in_a_run_no_island_is_reset(population: Population) -> None:
    before = elites(population)
    population.mix(20, late=True)
    assert elites(population) == before


def test_a_prompt_shows_coarse_scores_only(population: Population) -> None:
    add(population, "exact")
    population.record(evaluation("exact", [0.41, 0.42, 0.43]), None)
    assert population.exhibit("exact").coarse == pytest.approx(0.4)


def test_memory_is_rebuilt_from_the_archive(population: Population) -> None:
    add(population, "star")
    population.record(evaluation("star", [0.8, 0.9, 1.0]), None)
    again = Memory.of(population.archive)
    for name in ("pgrs", "judged", "best", "best_interval", "seed_medians", "baselines"):
        assert getattr(again, name) == getattr(population.memory, name), name
    assert again.best == "star"
