"""The MAP-Elites grid: cells of two or more measures whose edges never move (Mouret & Clune 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fitness.nouns import Measure


@dataclass(frozen=True)
class Grid:
    """Maps measures to cells, numbered row by row over the measures in their order."""

    measures: tuple[Measure, ...]

    @property
    def cells(self) -> int:
        """The number of cells."""
        total = 1
        for measure in self.measures:
            total *= measure.bins
        return total

    def cell(self, measures: Mapping[str, float]) -> int:
        """Return the cell of a method with these measures.

        Raises KeyError when one is missing, ValueError when one is not finite.
        """
        index = 0
        for measure in self.measures:
            index = index * measure.bins + measure.bin(measures[measure.name])
        return index

    def place(self, cell: int) -> tuple[int, ...]:
        """Return the bin of each measure for a cell."""
        if not 0 <= cell < self.cells:
            raise ValueError(f"cell must be in 0..{self.cells - 1}, got {cell}")
        bins: list[int] = []
        for measure in reversed(self.measures):
            cell, bin_ = divmod(cell, measure.bins)
            bins.append(bin_)
        return tuple(reversed(bins))
