"""Holds what several verbs share: the option that names a run, and printing JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from evolve.errors import UsageError
from evolve.text import as_json

if TYPE_CHECKING:
    from evolve.nouns import Operator

F = TypeVar("F", bound=Callable[..., Any])

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
operator_option = click.option(
    "--operator",
    "operators",
    multiple=True,
    callback=lambda context, parameter, references: _operators(references),
    metavar="FILE:CLASS",
    help="An operator of your own, used beside the others; `resume` and `replay` are told of it again.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")

named_data = click.option(
    "--data", metavar="DIR", help="Your own data, for the tasks w2s and lm: a folder with a folder a domain in it."
)
settings_option = click.option(
    "--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Settings of own data, as in evolve.toml."
)


def named_task(reference: str, data: str | None, pairs: Sequence[str]) -> str:
    """Return the name that the task of a reference and of the user's own data goes by here. Raises UsageError."""
    from evolve.config import parse_set, resolve
    from evolve.runs.checks import admitted

    return admitted(resolve(parse_set(tuple(pairs)), {"task": reference, "data": data})).task


def own_option(command: F) -> F:
    """Let the user name the files of the task, the data and the strategy of a run."""
    return task_option(data_option(strategy_option(command)))


def _own(flag: str, metavar: str, about: str, admit: Callable[[str], None]) -> Callable[[F], F]:
    """Return the option that names something of the user's own, which `admit` is then told of."""
    return click.option(
        flag,
        callback=lambda context, parameter, named: None if named is None else admit(named),
        expose_value=False,
        metavar=metavar,
        help=about,
    )


def _admit_task(reference: str) -> None:
    from fitness import tasks

    tasks.admit(reference)


def _name_data(folder: str) -> None:
    from fitness import tasks

    tasks.name_data(folder)


def _admit_strategy(reference: str) -> None:
    from evolve.selection import strategies

    if strategies.admit(reference) == reference:
        own = "--strategy names the file of one of your own, as path/to/file.py:NAME"
        raise UsageError(f"a run goes on with the strategy that it began with, not with {reference!r}: {own}")


task_option = _own(
    "--task",
    "FILE[:NAME]",
    "The file of the run's task, where that is one of your own: it is imported only when you name it.",
    _admit_task,
)
data_option = _own(
    "--data", "DIR", "The folder of the run's data, where they are your own: it is read only when you name it.", _name_data
)
strategy_option = _own(
    "--strategy", "FILE:NAME", "The file of the run's strategy, where that is one of your own.", _admit_strategy
)


def _operators(references: Sequence[str]) -> tuple[Operator, ...]:
    """Make the operators that flags name."""
    from evolve import operators

    return tuple(operators.load(reference) for reference in references)


def answer(found: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """Print what was found, a dataclass or several of one: as JSON, or else as `show` does."""
    if not as_json:
        show(found)
    else:
        echo_json([asdict(one) for one in found] if isinstance(found, list | tuple) else asdict(found))


def echo_json(value: object) -> None:
    """Print a value as JSON; what is not finite becomes null."""
    click.echo(as_json(value, indent=2, default=str))
