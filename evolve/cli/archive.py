"""The verb `archive`: is a run's archive whole, a copy of it, and several made into one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from archives.archive import Archive
from archives.grid import Grid
from evolve.cli.common import db_option, echo_json, find_run, is_running, json_option
from evolve.errors import EvolveError, UsageError

_FOUND = 2  # exit code when something does not hold


@click.group()
def archive() -> None:
    """Check a run's archive, copy it while the run goes on, or merge several into one."""


@archive.command()
@db_option
@json_option
@click.pass_context
def check(context: click.Context, db: Path | None, as_json: bool) -> None:
    """Look whether an archive is whole: its pages, its schema, and what must hold between its rows.

    Each thing that does not hold is a sentence, and the exit code is then 2. Nothing is changed.
    """
    from archives.check import check as violations
    from evolve.cli.printing import paragraph, say
    from evolve.report.wording import count

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


def _grid(held: Archive) -> tuple[Grid | None, str]:
    """Return the run's grid, or None and why."""
    from evolve.gridding import grid_of

    try:
        return grid_of(held), ""
    except EvolveError as error:
        return None, f"Elites were not held against their cells: {error}"


@archive.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace what is there.")
@db_option
@json_option
def backup(path: Path, force: bool, db: Path | None, as_json: bool) -> None:
    """Copy an archive to PATH as it is at this moment, also while the run goes on.

    What is at PATH is never replaced without --force, and nothing stands there before the copy is whole.
    """
    from archives.copying import backup as copy

    source = find_run(db)
    if force and is_running(path):
        raise UsageError(f"a run is going on in {path}: it cannot be replaced; name another file")
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
    from contextlib import ExitStack, closing
    from datetime import UTC, datetime

    from archives.copying import new_file
    from archives.merging import merge as join
    from archives.nouns import RunRecord
    from evolve import __version__

    if len({run.resolve() for run in runs}) < max(len(runs), 2):
        raise UsageError("name two or more runs, each once: `python -m evolve archive merge A.db B.db --out C.db`")
    if force and is_running(out):
        raise UsageError(f"a run is going on in {out}: it cannot be replaced; name another file")
    with ExitStack() as stack:
        sources = [stack.enter_context(closing(Archive.open(run))) for run in runs]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with new_file(out, runs, force=force) as part:
            join(sources, part, RunRecord(out.stem, now, "", "", "", "", 0, "", "", __version__))
        held = stack.enter_context(closing(Archive.open(out)))
        counts = {name: held.rows(f"select count(*) as n from {name}")[0]["n"] for name in ("methods", "proposals", "elites")}
    if as_json:
        echo_json({"runs": [str(run) for run in runs], "out": str(out), **counts})
    else:
        click.echo(out)
