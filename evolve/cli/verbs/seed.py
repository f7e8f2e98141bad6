"""Runs the verb `seed`: lists the human baselines, and adds a user's own files to a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from evolve.cli.options import db_option, echo_json, json_option, own_option, trust_option
from evolve.errors import UsageError
from evolve.runs.find import find_run


@click.group()
def seed() -> None:
    """List the human baselines, or check and judge your own files and add them to a run."""


@seed.command("list")
@click.option("--task", default="embedded", show_default=True, help="Whose; your own as path/to/task.py[:NAME].")
@json_option
def list_(task: str, as_json: bool) -> None:
    """List the human baselines of a task with their citations."""
    from evolve.runs.seeds import collect
    from evolve.text import one_line
    from fitness import tasks

    seeds = collect(folders=tasks.load(tasks.admit(task)).seeds)
    if as_json:
        echo_json([{"name": s.name, "file": str(s.path), "about": s.about[0], "citation": s.about[1]} for s in seeds])
        return
    for found in seeds:
        about, citation = (one_line(text) for text in found.about)
        click.echo(f"{found.name}: {about}")
        if citation:
            click.echo(click.wrap_text(citation, 88, "    ", "    "))


@seed.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@db_option
@own_option
@trust_option
@json_option
def add(files: tuple[Path, ...], db: Path | None, trust: bool, as_json: bool) -> None:
    """Check FILES, judge them on a run's dev instances, and add them to its islands. Exits 2 for anything but OK."""
    from evolve.runs.seeds import add_seed, read

    path = find_run(db)
    seeds = [read(file) for file in files]
    added = [add_seed(path, found, trust) for found in seeds]
    if as_json:
        echo_json([asdict(one) for one in added])
    for one in added:
        if not as_json:
            score = f"PGR {one.pgr:.3f}, added to {path}" if one.pgr is not None else one.message
            click.echo(f"{one.file}: {one.status}: {score}")
            if one.flags:
                click.echo(f"  flagged and kept out of the grid by {one.message}")
    failed = [one for one in added if one.pgr is None or one.flags]
    if failed:
        raise UsageError(f"{len(failed)} of {len(added)} files were not added: {failed[0].file}: {failed[0].message}")
