"""The verbs that write files about a run: report and export. They only read the archive, also of a live run."""

from __future__ import annotations

from pathlib import Path

import click

from archives.archive import Archive
from evolve.cli.common import db_option, echo_json, find_run, is_running, json_option

_SUFFIX = {"html": ".html", "md": ".md", "json": ".json"}


@click.command()
@click.option("--format", "kind", type=click.Choice(list(_SUFFIX)), default="html", show_default=True, help="What to write.")
@click.option(
    "--out", type=click.Path(path_type=Path, allow_dash=True), help="Where (default: beside the archive; -: print it)."
)
@db_option
def report(kind: str, out: Path | None, db: Path | None) -> None:
    """One self-contained page about a run: curve, grid, leaderboard, lineage, diffs, costs."""
    from evolve.report import markdown, page
    from evolve.report.data import as_json, collect

    path = find_run(db)
    data = collect(Archive.open(path), alive=is_running(path))
    text = {"html": page.render, "md": markdown.render, "json": as_json}[kind](data)
    if str(out) == "-":
        click.echo(text, nl=False)
    else:
        click.echo(page.write_text(out or path.with_suffix(_SUFFIX[kind]), text))


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
    archive = Archive.open(path)
    with archive.transaction():
        written = write_methods(archive, most, out or path.with_name(f"{path.stem}-methods"))
    if not written:
        raise UsageError("this run has bred no method that was judged OK yet: wait a moment, or resume it")
    if as_json:
        echo_json([{"method": line.method, "file": str(line.file)} for line in written])
    else:
        for line in written:
            click.echo(line.file)
