"""Runs on grids of the user's choice: other measures, three of them, Voronoi cells; what every way of looking makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from archives.grid import Bins, Voronoi, dump
from archives.maintenance.check import check
from archives.nouns import Elite
from evolve.cli import run
from evolve.config import Config
from evolve.errors import UsageError
from evolve.grids import grid_for, grid_of, measures_of
from fitness.tasks import load
from tests.support import tiny
from tests.support.example_run import build

TASK = load("embedded")
EVERY = ("teacher_agreement", "size", "confidence", "positive_rate")


def test_without_a_word_a_run_has_the_tasks_grid() -> None:
    assert grid_for(TASK, Config()) == Bins(TASK.measures)
    assert [measure.name for measure in TASK.measures] == ["teacher_agreement", "size"]


def test_measures_are_chosen_by_name_in_the_order_given() -> None:
    grid = grid_for(TASK, Config(measures=("confidence", "size", "teacher_agreement")))
    assert [measure.name for measure in grid.measures] == ["confidence", "size", "teacher_agreement"]
    assert grid.cells == 10 * 6 * 16


def test_voronoi_cells_come_from_the_runs_seed() -> None:
    config = Config(grid="cvt", cells=30, measures=EVERY, seed=4)
    grid = grid_for(TASK, config)
    assert isinstance(grid, Voronoi)
    assert (grid.cells, len(grid.measures)) == (30, 4)
    assert grid == grid_for(TASK, config) != grid_for(TASK, config.model_copy(update={"seed": 5}))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"measures": ("size", "agreement")}, "'agreement' is no measure of embedded: choose among teacher_agreement, size"),
        ({"measures": ("size", "size")}, "needs two measures or more"),
        ({"measures": EVERY}, "take Voronoi cells"),
    ],
)
def test_a_grid_that_cannot_be_made_is_a_sentence(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        measures_of(TASK, Config(**settings))


@pytest.fixture
def tiny_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


SETTINGS = {
    "three": (["measures=['confidence', 'size', 'positive_rate']"], 10 * 6 * 8, ["confidence", "size"]),
    "cvt": ([f"measures={list(EVERY)}", "grid=cvt", "cells=40"], 40, ["teacher_agreement", "size"]),
}


@pytest.mark.thorough
@pytest.mark.parametrize("kind", SETTINGS)
def test_a_run_keeps_its_grid_and_every_verb_shows_it(kind: str, tiny_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, cells, axes = SETTINGS[kind]
    settings = [word for setting in words for word in ("--set", setting)]
    assert run(["start", *tiny.SMALL, "--evals", "4", "--db", "run.db", *settings]) == 0
    archive = Archive.open(Path("run.db"))
    grid = grid_of(archive)
    assert grid.cells == cells
    assert archive.run().grid == dump(grid)
    assert check(archive, grid) == ()
    assert archive.elites()
    assert all(set(json.loads(str(row["measures"]))) == set(EVERY) for row in archive.rows("select measures from cells"))
    capsys.readouterr()
    assert run(["map", "--db", "run.db", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)[0]
    assert (whole["cells"], [whole["x"]["name"], whole["y"]["name"]]) == (cells, axes)
    assert whole["occupied"] >= len(whole["squares"]) > 0
    assert run(["map", "--db", "run.db"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert ("40 Voronoi cells" if kind == "cvt" else "best over every positive rate") in shown
    assert run(["report", "--db", "run.db", "--out", "page.html"]) == 0
    assert whole["note"] in Path("page.html").read_text()
    assert run(["replay", "--db", "run.db"]) == 0


def test_a_square_shows_the_best_of_its_cells(tmp_path: Path) -> None:
    from evolve.queries.heat_maps import heat_maps

    path = build(tmp_path / "run.db", 6)
    archive = Archive.open(path, write=True)
    grid = Bins((*TASK.measures, TASK.other_measures[0]))
    archive.update_run(grid=dump(grid))
    first, second = (method.id for method in archive.methods()[:2])
    for island in range(3):
        archive.clear_island(island)
    archive.place(Elite(0, 10 * (6 * 3 + 2) + 1, first, 0.25))
    archive.place(Elite(0, 10 * (6 * 3 + 2) + 9, second, 0.5))
    whole = heat_maps(archive)[0]
    assert [(square.x, square.y, square.method, square.fitness) for square in whole.squares] == [(3, 2, second, 0.5)]
    assert (whole.occupied, whole.cells) == (2, 16 * 6 * 10)


def test_an_older_run_has_the_grid_of_its_task(tmp_path: Path) -> None:
    archive = Archive.open(build(tmp_path / "run.db", 6))
    assert archive.run().grid == ""
    assert grid_of(archive) == Bins(TASK.measures)
