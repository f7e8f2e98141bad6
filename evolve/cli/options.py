"""Holds what several verbs share: the option that names a run, and printing JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from evolve.text import as_json

db_option = click.option("--db", type=click.Path(path_type=Path), help="The run's archive (default: the newest in runs/).")
device_option = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where methods compute: auto is a GPU if there is one."
)
trust_option = click.option(
    "--trust-methods",
    "trust",
    is_flag=True,
    help="Run language-model code and other people's files where the sandbox does not reach level B; every report says so.",
)
task_option = click.option(
    "--task",
    callback=lambda context, parameter, reference: _admit(reference),
    expose_value=False,
    metavar="FILE[:NAME]",
    help="The file of the run's task, where that is one of your own: it is imported only when you name it.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def _admit(reference: str | None) -> None:
    """Import the task that a flag names."""
    from fitness import tasks

    if reference is not None:
        tasks.admit(reference)


def answer(found: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """Print what was found, a dataclass or several of one: as JSON, or else as `show` does."""
    if not as_json:
        show(found)
    else:
        echo_json([asdict(one) for one in found] if isinstance(found, list | tuple) else asdict(found))


def echo_json(value: object) -> None:
    """Print a value as JSON; what is not finite becomes null."""
    click.echo(as_json(value, indent=2, default=str))
