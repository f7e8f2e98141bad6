"""Runs the verbs `report` and `export`, which write files about a run and only read its archive, also of a live run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archives.archive import Archive
from evolve.cli.options import db_option, echo_json, json_option
from evolve.files import beside, write_text
from evolve.runs.find import NOTHING_BRED, find_run, reading, waiting
from evolve.runs.process import is_running

if TYPE_CHECKING:
    from evolve.queries.run_report import Report

_PAGES = ("html", "md", "json")
_PICTURES = ("png", "pdf", "svg")


@click.command()
@click.option(
    "--format", "kind", type=click.Choice([*_PAGES, *_PICTURES]), default="html", show_default=True, help="What to write."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Where (default: beside the archive; -: print it); for pictures a folder.",
)
@db_option
def report(kind: str, out: Path | None, db: Path | None) -> None:
    """One self-contained page about a run: curve, grid, leaderboard, lineage, diffs, costs.

    png, pdf and svg are the main plots for a paper, one file each: PGR so far, the grid, the islands, PGR on fresh instances,
    direction entropy, gains by operator and model.
    """
    from evolve.queries.run_report import as_json, collect
    from evolve.report import markdown
    from evolve.report.html import page
    from evolve.report.html.view import view

    path = find_run(db)
    archive, alive = Archive.open(path), is_running(path)
    key = archive.run().key
    if kind in _PICTURES:
        _write_plots(collect(archive, alive=alive), path, out, kind, key)
        return
    if kind == "html":
        text = page.render(view(archive, alive=alive))
    else:
        text = {"md": markdown.render, "json": as_json}[kind](collect(archive, alive=alive))
    if str(out) == "-":
        click.echo(text, nl=False)
    else:
        click.echo(write_text(out or beside(path, f".{kind}", key), text, key))


def _write_plots(data: Report, path: Path, folder: Path | None, kind: str, key: str) -> None:
    """Write the plots, and say on stderr which were left out. Raises UsageError when none can be written."""
    from evolve.errors import UsageError
    from evolve.report.plots.plots import write_plots

    if str(folder) == "-":
        raise UsageError("the plots are several files: name a folder with --out")
    written = write_plots(data, (folder or path.parent) / path.name, kind, key)
    for file in written.files:
        click.echo(file)
    for sentence in written.left_out:
        click.echo(sentence, err=True)


@click.command()
@click.option("-n", "most", type=click.IntRange(1), default=5, show_default=True, help="How many methods.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder (default: beside the archive, NAME-methods).")
@db_option
@json_option
def export(most: int, out: Path | None, db: Path | None, as_json: bool) -> None:
    """The best bred methods as files that say where they came from; each can be judged, or given to start --seeds."""
    from evolve.errors import UsageError
    from evolve.report.export import write_methods

    path = find_run(db)
    with reading(path) as archive:
        written = write_methods(archive, most, out)
        if not written:
            raise UsageError(f"{NOTHING_BRED}: {waiting(archive)}")
    if as_json:
        echo_json([{"method": line.method, "file": str(line.file)} for line in written])
    else:
        for line in written:
            click.echo(line.file)
