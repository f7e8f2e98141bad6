"""Draws the grid as heat maps for a paper: over all islands, and one for each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from evolve.queries.heat_maps import HeatMap
from evolve.queries.run_report import Report
from evolve.report.plots.figures import LIGHT, WIDTH, column, ticks
from evolve.text import number

_ABREAST = 4  # islands
_FEW = 14  # bins across, up to which a cell shows its value


def grid(report: Report) -> Figure | None:
    """Draw the fitness of the best elite of every cell, over all islands."""
    heat = next((heat for heat in report.maps if heat.island is None), None)
    if heat is None or not heat.squares:
        return None
    figure, axes = column(1.0 + 0.22 * min(max(heat.y.bins, 2), 20))
    _heat(axes, heat, values=heat.x.bins <= _FEW)
    axes.set_xlabel(heat.x.title)
    axes.set_ylabel(heat.y.title)
    _colour_bar(figure, [axes], "fitness (lower bound of PGR)")
    return figure


def islands(report: Report) -> Figure | None:
    """Draw the grid of each island, side by side on one scale."""
    maps = [heat for heat in report.maps if heat.island is not None]
    if not maps:
        return None
    abreast = min(len(maps), _ABREAST)
    down = math.ceil(len(maps) / abreast)
    figure = Figure((WIDTH, 0.75 + down * (2.6 / abreast)), layout="constrained")
    every = figure.subplots(down, abreast, sharex=True, sharey=True, squeeze=False)
    spots = list(every.flat)
    for axes, heat in zip(spots, maps):
        _heat(axes, heat, values=False)
        axes.set_title(heat.title, pad=2)
    for axes in spots[len(maps) :]:
        axes.set_visible(False)
    figure.supxlabel(maps[0].x.title, fontsize=7)
    figure.supylabel(maps[0].y.title, fontsize=7)
    _colour_bar(figure, spots, "fitness")
    return figure


def _heat(axes: Axes, heat: HeatMap, *, values: bool) -> None:
    """Colour the occupied cells; the empty ones stay visible."""
    cells = [[math.nan] * heat.x.bins for _ in range(heat.y.bins)]
    for square in heat.squares:
        cells[square.y][square.x] = square.fitness
    axes.set_facecolor(LIGHT)
    axes.pcolormesh(heat.x.edges, heat.y.edges, cells, cmap="viridis", vmin=0, vmax=1, linewidth=0)
    for edges, line in ((heat.x.edges, axes.axvline), (heat.y.edges, axes.axhline)):
        for edge in edges:
            line(edge, color="white", linewidth=0.5 if values else 0.25)
    for square in heat.squares if values else ():
        x, y = (sum(axis.edges[place : place + 2]) / 2 for axis, place in ((heat.x, square.x), (heat.y, square.y)))
        colour = "white" if square.fitness < 0.6 else "black"
        axes.text(x, y, number(square.fitness), ha="center", va="center", fontsize=5, color=colour)
    axes.set_xlim(heat.x.edges[0], heat.x.edges[-1])
    axes.set_ylim(heat.y.edges[0], heat.y.edges[-1])
    axes.xaxis.set_major_locator(ticks(5 if values else 3))
    axes.yaxis.set_major_locator(ticks(6 if values else 3))
    if not heat.y.name:
        axes.set_yticks([])


def _colour_bar(figure: Figure, axes: Sequence[Axes], label: str) -> None:
    scale = ScalarMappable(Normalize(0, 1), "viridis")
    bar = figure.colorbar(scale, ax=list(axes), extend="min", fraction=0.05, pad=0.02, label=label)
    bar.locator = MultipleLocator(0.2)
    bar.outline.set_linewidth(0.4)
    bar.update_ticks()
