from __future__ import annotations

from archives.grid import Bins, FlatPopulation
from archives.nouns import Elite
from evolve.islands.islands import Islands
from fitness.nouns import Measure

GRID = Bins((Measure("size", 0.0, 4.0, 4),))


def test_an_elite_of_a_cell_is_what_the_measures_say() -> None:
    islands = Islands(2, GRID)
    assert islands.elite(1, "m", 0.3, {"size": 2.5}) == Elite(1, 2, "m", 0.3)


def test_a_method_that_lacks_a_measure_of_the_grid_has_no_cell() -> None:
    assert Islands(1, GRID).elite(0, "m", 0.3, {"other": 1.0}) is None


def test_the_best_of_a_cell_is_the_best_of_all_islands() -> None:
    islands = Islands(3, FlatPopulation(9))
    for island, cell, fitness in ((0, 0, 0.1), (1, 0, 0.4), (2, 0, 0.2), (2, 3, -0.5)):
        islands.place(Elite(island, cell, f"m{island}", fitness))
    assert islands.best_of_cells() == {0: 0.4, 3: -0.5}
    islands[1].clear()
    assert islands.best_of_cells()[0] == 0.2
