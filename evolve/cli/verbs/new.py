"""Runs the verb `new`: a method file to begin with."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--task", default="embedded", show_default=True, help="The task it is for; your own as path/to/task.py[:NAME].")
def new(file: Path, task: str) -> None:
    """Write a method FILE to begin with, which judges OK as it is. A file that is there already is left alone."""
    from evolve.runs.new import new as written
    from fitness import tasks

    path = shlex.quote(str(written(file, tasks.load(tasks.admit(task)))))
    option = "" if task == "embedded" else f" --task {shlex.quote(task)}"
    click.echo(f"wrote {path}; now try: python -m evolve judge {path}{option}")
