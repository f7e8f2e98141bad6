"""A run's grids can be made again from what was judged and what happened: on its own grid they come out as they are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.grid import Bins, voronoi
from archives.history import MOST, History, Offer, Point, elites, progress
from archives.nouns import Elite
from fitness.nouns import Measure
from fitness.tasks import load
from tests.support import simulated

pytestmark = pytest.mark.thorough

TASK = load("embedded")
GRID = Bins(TASK.measures)


@pytest.fixture(scope="module", params=["ring", "complete", "random"])
def searched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A search whose islands were mixed and emptied often."""
    folder = tmp_path_factory.mktemp(request.param)
    settings = {"topology": request.param, "islands": 4, "migrate_every": 4, "reset_every": 25, "dev_instances": 10}
    simulated.search(folder, 11, 100, **settings)
    return Archive.open(folder / "run.db", write=True)


def unflagged(archive: Archive) -> list[Elite]:
    """Return the elites, were it not for methods that the finale flagged."""
    assert not archive.flagged(), "choose another seed"
    return archive.elites()


def test_a_history_ends_with_the_grid_that_the_run_has(searched: Archive) -> None:
    kinds = [str(row["kind"]) for row in searched.rows("select kind from events where kind in ('migration', 'reset')")]
    assert kinds.count("reset") >= 4
    assert kinds.count("migration") >= 2
    history = History(searched, GRID)
    assert elites(history) == unflagged(searched)
    assert history.missing == {}


def test_on_another_grid_each_cell_has_its_best(searched: Archive) -> None:
    for grid in (voronoi(TASK.measures, 9, 1), Bins((Measure("confidence", 0.5, 1, 4), TASK.measures[0]))):
        found = elites(History(searched, grid))
        offered = {(offer.island, offer.elite.method) for offer in History(searched, grid).offers() if offer.elite}
        assert {(elite.island, elite.method) for elite in found} <= offered
        assert len({(elite.island, elite.cell) for elite in found}) == len(found)
        assert all(0 <= elite.cell < grid.cells for elite in found)


def test_what_was_never_measured_is_named(searched: Archive) -> None:
    history = History(searched, Bins((TASK.measures[0], Measure("compute", 0, 1, 3))))
    assert elites(history) == []
    assert set(history.missing.values()) == {"compute"}


class Told(History):
    """A history that is told its offers."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        self._offers = offers

    def offers(self) -> Iterator[Offer]:
        """Yield the offers."""
        return iter(self._offers)


def offer(judged: int, island: int, cell: int, fitness: float) -> Offer:
    return Offer(judged, island, Elite(island, cell, f"m{judged}", fitness))


def test_the_series_by_hand() -> None:
    offers = [
        offer(0, 0, 0, 0.5), offer(0, 1, 0, 0.5), offer(1, 0, 3, -0.25), offer(2, 1, 0, 0.75), offer(3, 0, 0, 0.5),
        Offer(4, 1, None), offer(4, 1, 0, 0.5), offer(5, 1, 2, 0.25),
    ]  # fmt: skip
    series = progress(Told(offers), 4)
    assert series[0] == (Point(0, 0.25, 0.5, 0.5), Point(1, 0.5, 0.5, 0.5))
    assert series[1] == (
        Point(0, 0.25, 0.5, 0.5),
        Point(2, 0.25, 0.75, 0.75),
        Point(4, 0.25, 0.5, 0.5),
        Point(5, 0.5, 0.75, 0.5),
    )
    assert series[None] == (
        Point(0, 0.25, 0.5, 0.5), Point(1, 0.5, 0.5, 0.5), Point(2, 0.5, 0.75, 0.75), Point(4, 0.5, 0.5, 0.5),
        Point(5, 0.75, 0.75, 0.5),
    )  # fmt: skip


def test_the_series_of_a_run_end_with_its_grids(searched: Archive) -> None:
    series = progress(History(searched, GRID), GRID.cells)
    held = unflagged(searched)
    for island in range(4):
        own = {elite.cell: elite.fitness for elite in held if elite.island == island}
        assert series[island][-1].coverage == len(own) / GRID.cells
        assert math.isclose(series[island][-1].qd_score, sum(max(f, 0) for f in own.values()))
        assert series[island][-1].best == max(own.values())
    best = {cell: max(e.fitness for e in held if e.cell == cell) for cell in {e.cell for e in held}}
    last = series[None][-1]
    assert (last.coverage, last.best) == (len(best) / GRID.cells, max(best.values()))
    assert math.isclose(last.qd_score, sum(max(f, 0) for f in best.values()))
    assert all(a.judged < b.judged for one in series.values() for a, b in itertools.pairwise(one))


def test_a_long_series_is_thinned_and_keeps_its_end() -> None:
    series = progress(Told([offer(number, 0, 0, number / 1e4) for number in range(1, 5000)]), 4)[None]
    assert MOST / 2 < len(series) <= MOST
    assert series[-1] == Point(4999, 0.25, 0.4999, 0.4999)


def test_an_empty_run_has_no_series(tmp_path: Path) -> None:
    archive = Archive.create(tmp_path / "run.db")
    assert progress(History(archive, GRID), GRID.cells) == {None: ()}
