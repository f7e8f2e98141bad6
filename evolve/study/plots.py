"""Draws the best so far of every strategy over the trials, with bands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from evolve.report.plots.figures import COLOURS, column, ticks
from evolve.study.outcome import SearchOutcome, height
from evolve.study.table import band

POINTS = 120  # of a curve


def curves(outcomes: Sequence[SearchOutcome], order: Sequence[str], trials: int) -> Figure:
    """Draw the mean dev PGR of the best so far of each strategy, with the 90 % bootstrap band of the mean over its searches."""
    figure, axes = column(2.9)
    at = np.linspace(0, trials, POINTS)
    for name, colour in zip(order, COLOURS, strict=False):
        heights = np.array([[height(one.curve, int(x)) for x in at] for one in outcomes if one.strategy == name])
        low, high = band(heights)
        axes.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0, step="post")
        axes.step(at, heights.mean(axis=0), color=colour, where="post", label=name)
    axes.set_xlim(0, trials)
    axes.set_xlabel("trials on dev instances")
    axes.set_ylabel("dev PGR of the best so far")
    axes.xaxis.set_major_locator(ticks(6, whole=True))
    figure.legend(loc="outside upper left", ncols=3, columnspacing=1.2, handlelength=1.4, borderaxespad=0.2)
    return figure
