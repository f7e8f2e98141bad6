"""Writes the main plots of a run for a paper: one file a plot, a column wide, the same bytes for the same archive."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evolve.errors import UsageError
from evolve.files import beside, write_bytes
from evolve.queries.run_report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("png", "pdf", "svg")
DPI = 300
_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": 7,
    "axes.labelsize": 7,
    "axes.titlesize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "text.parse_math": False,  # a dollar sign in a method's name is a dollar sign
    "pdf.fonttype": 42,  # TrueType, as journals want it
    "svg.hashsalt": "evolve",
}


@dataclass(frozen=True)
class Plot:
    """One plot: what draws it (None when there is nothing to draw), and what to say then."""

    draw: Callable[[Report], Figure | None]
    missing: str


@dataclass(frozen=True)
class Written:
    """The files that were written, and a sentence for each plot that was left out."""

    files: tuple[Path, ...]
    left_out: tuple[str, ...]


def plots() -> dict[str, Plot]:
    """Return the plots by the end of their files' names. Raises UsageError when matplotlib is missing."""
    try:
        from evolve.report.plots import figures, tiles
    except ModuleNotFoundError as error:
        raise UsageError("pictures need the extra plots: run `pip install -e '.[plots]'` in the checkout") from error
    return {
        "pgr": Plot(figures.pgr_so_far, "no method has been judged OK yet"),
        "grid": Plot(tiles.grid, "the grid is empty, or of a task that is not known here"),
        "islands": Plot(tiles.islands, "there is one island, or none that holds an elite"),
        "fresh": Plot(figures.fresh, "nothing has been judged on fresh instances yet"),
        "entropy": Plot(figures.entropy, "there are too few proposals"),
        "gains": Plot(figures.gains, "no proposal has ended yet"),
    }


def write_plots(report: Report, db: Path, kind: str, key: str) -> Written:
    """Write every plot that there are data for as NAME-PLOT.KIND beside `db`. Raises UsageError without matplotlib or data."""
    files, left_out = [], []
    for name, plot in plots().items():
        drawn = picture(partial(plot.draw, report), kind, report.made_by)
        if drawn is None:
            left_out.append(f"no plot {name}: {plot.missing}")
        else:
            files.append(write_bytes(beside(db, f"-{name}.{kind}", key), drawn, key))
    if not files:
        raise UsageError("nothing can be drawn yet: no method of this run has been judged OK, and nothing was proposed")
    return Written(tuple(files), tuple(left_out))


def picture(draw: Callable[[], Figure | None], kind: str, made_by: str) -> bytes | None:
    """Return a plot as the bytes of a file that says what it is `made_by`, and no date; the user's own style stays out."""
    from matplotlib import style

    with style.context(["default", _STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
        figure = draw()
        if figure is None:
            return None
        file = io.BytesIO()
        figure.savefig(file, format=kind, dpi=DPI, **_labelled(kind, made_by))
    return file.getvalue()


def _labelled(kind: str, made_by: str) -> dict[str, Any]:
    """Return what has a file say which run it is of, and neither when it was drawn nor by what."""
    if kind == "png":
        from PIL.PngImagePlugin import PngInfo

        label = PngInfo()
        label.add_itxt("Source", made_by)
        return {"pil_kwargs": {"pnginfo": label}}
    return {"metadata": {"CreationDate": None, "Keywords": made_by} if kind == "pdf" else {"Date": None, "Source": made_by}}
