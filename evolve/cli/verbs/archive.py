"""Runs the verb `archive`: checks an archive, copies it, merges several into one, or moves one onto another grid."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archives.archive import Archive
from archives.grid import Grid
from evolve.cli.options import db_option, echo_json, json_option, own_option
from evolve.errors import EvolveError, UsageError
from evolve.runs.find import find_run
from fitness.nouns import Measure

if TYPE_CHECKING:
    from archives.maintenance.regrid import Regridded
    from evolve.runs.repair import Repair

_FOUND = 2  # exit code when something does not hold
_MOST_BINS = 1000
_NAMED = 8  # methods that are named


@click.group()
def archive() -> None:
    """Check a run's archive, copy it while the run goes on, merge several into one, or move one onto another grid."""


@archive.command()
@click.option("--repair", is_flag=True, help="Write a whole archive in its place, and keep it as NAME.db.backup.")
@click.option("--out", type=click.Path(path_type=Path), help="With --repair: write it there, and leave the damaged one.")
@db_option
@json_option
@click.pass_context
def check(context: click.Context, repair: bool, out: Path | None, db: Path | None, as_json: bool) -> None:
    """Look whether an archive is whole: its pages, its schema, and what must hold between its rows.

    Each thing that does not hold is a sentence, and the exit code is then 2. Without --repair nothing is changed. With it, what
    can be read is written into a new archive, elites are found again, and what had to go is listed beside it.
    """
    from archives.maintenance.check import check as violations
    from evolve.cli.show.console import paragraph, say
    from evolve.text import count

    if out is not None and not repair:
        raise UsageError("--out goes with --repair")
    if repair:
        from evolve.runs.repair import repair as repaired

        done = repaired(find_run(db), out)
        _say_repaired(done, as_json)
        if done.found.violations:
            context.exit(_FOUND)
        return
    held = Archive.open(find_run(db))
    grid, note = _grid(held)
    found = violations(held, grid)
    if as_json:
        echo_json({"db": str(held.path), "violations": [asdict(one) for one in found], "note": note})
    else:
        say(str(held.path), "dim")
        for one in found:
            paragraph(f"- {one.sentence}")
        if note:
            paragraph(note)
        say(f"{count(len(found), 'violation')}." if found else "Nothing is wrong.", "bold")
    if found:
        context.exit(_FOUND)


def _say_repaired(done: Repair, as_json: bool) -> None:
    """Print what came of a repair."""
    from evolve.cli.show.console import paragraph, say
    from evolve.text import count

    found = done.found
    if as_json:
        lists = {name: [asdict(one) for one in getattr(found, name)] for name in ("losses", "violations")}
        named = {name: str(path) if path else None for name, path in (("kept", done.kept), ("dropped", done.dropped))}
        echo_json({"db": str(done.path), **named, **lists, "notes": list(found.notes)})
        return
    say(str(done.path), "dim")
    for loss in found.losses:
        rows = "Rows" if loss.rows is None else count(loss.rows, "row")
        paragraph(f"- {rows} of {loss.table} could not be kept: {loss.reason}.")
    for note in found.notes:
        paragraph(f"- {note}.")
    for one in found.violations:
        paragraph(f"- It still does not hold: {one.sentence}")
    if done.dropped:
        paragraph(f"The rows that were dropped are in {done.dropped}.")
    if done.kept:
        paragraph(f"The archive as it was is {done.kept}.")
        say(f"{count(len(found.violations), 'violation')} left." if found.violations else "It is whole.", "bold")
    else:
        say("Nothing is wrong: it stays as it is.", "bold")


def _grid(held: Archive) -> tuple[Grid | None, str]:
    """Return the run's grid, or None and why."""
    from evolve.grids import grid_of

    try:
        return grid_of(held), ""
    except EvolveError as error:
        return None, f"Elites were not compared with their cells: {error}"


@archive.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace what is there.")
@db_option
@json_option
def backup(path: Path, force: bool, db: Path | None, as_json: bool) -> None:
    """Copy an archive to PATH as it is at this moment, also while the run goes on.

    What is at PATH is never replaced without --force, and nothing stands there before the copy is whole.
    """
    from evolve.runs.maintenance import backup as copy

    source = find_run(db)
    size = copy(source, path, force=force)
    if as_json:
        echo_json({"db": str(source), "copy": str(path), "bytes": size})
    else:
        click.echo(path)


@archive.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The archive to write.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@json_option
def merge(runs: tuple[Path, ...], out: Path, force: bool, as_json: bool) -> None:
    """Make one archive of several RUNS of one task and vault: every method once, in each cell the better elite.

    The runs stay as they are. Proposals are numbered anew, and events say which were whose; what was under way is not taken up.
    """
    from evolve.runs.maintenance import merge as join

    counts = join(runs, out, force=force)
    if as_json:
        echo_json({"runs": [str(run) for run in runs], "out": str(out), **counts})
    else:
        click.echo(out)


def _edges(context: click.Context, option: click.Parameter, words: tuple[str, ...]) -> dict[str, Measure]:
    """Read NAME=LOW:HIGH:BINS."""
    found = {}
    for word in words:
        try:
            name, _, rest = word.partition("=")
            low, high, bins = rest.split(":")
            found[name] = Measure(name, float(low), float(high), int(bins))
        except ValueError as error:
            raise UsageError(f"--edges takes NAME=LOW:HIGH:BINS, such as size=7:11:8, got {word!r}") from error
        if not (-1e9 < found[name].low < found[name].high < 1e9 and 0 < found[name].bins <= _MOST_BINS):
            raise UsageError(f"--edges {word}: LOW must lie below HIGH, with 1 to {_MOST_BINS} bins between them")
    return found


@archive.command()
@click.option("--measures", default="", help="Measures of the new grid, joined by commas (default: those of the old one).")
@click.option("--edges", multiple=True, callback=_edges, help="Other edges of a measure: NAME=LOW:HIGH:BINS.")
@click.option("--grid", type=click.Choice(["bins", "cvt"]), default="bins", help="Equal bins, or Voronoi cells.")
@click.option("--cells", type=click.IntRange(2, 10_000), default=100, help="How many Voronoi cells.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the Voronoi cells.")
@click.option("--out", type=click.Path(path_type=Path), help="Write another archive, and leave this one as it is.")
@click.option("--force", is_flag=True, help="Replace what is at --out.")
@db_option
@own_option
@json_option
def regrid(
    measures: str, edges: dict[str, Measure], grid: str, cells: int, seed: int,
    out: Path | None, force: bool, db: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Move a run onto another grid: its elites are found again among everything it judged.

    Without --out the archive is changed, after a copy of it was made beside it (NAME.db.backup). `resume` goes on with the new
    grid. What cannot be placed, because a measure was never recorded of it, is named.
    """
    from evolve.runs.maintenance import NewGrid
    from evolve.runs.maintenance import regrid as move

    source, names = find_run(db), [name.strip() for name in measures.split(",") if name.strip()]
    found, kept = move(source, NewGrid(names, edges, cells if grid == "cvt" else None, seed), out, force=force)
    _say_moved(out or source, kept, found, as_json)


def _say_moved(path: Path, kept: Path, found: Regridded, as_json: bool) -> None:
    """Print what became of the elites, and where the archive is as it was."""
    from evolve.cli.show.console import facts, paragraph, say
    from evolve.text import short

    if as_json:
        echo_json({"db": str(path), "kept": str(kept), **asdict(found)})
        return
    say(str(path), "dim")
    counts = f"{found.after} (there were {found.before}), in {found.occupied} of {found.cells} cells"
    facts([("elites", counts), ("as it was", str(kept))])
    for measure in dict.fromkeys(found.missing.values()):
        lost = [short(method) for method, name in found.missing.items() if name == measure]
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        paragraph(f"- {measure} was never recorded of {', '.join(lost[:_NAMED])}{more}: they lie in no cell.")
