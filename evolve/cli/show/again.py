"""Writes the commands that go on with a run, or begin another like it, with the flags that name what is the user's own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from evolve.config import OF_DATA, Config, inline_table
from evolve.nouns import Operator
from evolve.selection import strategies
from fitness import registry, tasks


def resume(path: Path, config: Config, operators: Sequence[Operator] = ()) -> str:
    """Return the command that goes on with a run; what is the user's own is imported only when it is named again."""
    return _command("resume", [("--db", str(path)), *_own(config, operators)])


def start(config: Config, operators: Sequence[Operator] = ()) -> str:
    """Return the command that begins another run on the same task and domains, with the same strategy and operators."""
    own, first = list(_own(config, operators)), tasks.load(config.task).search_domains[0]
    searched = [("--domain", domain) for domain in config.domains if config.domains != (first,)]
    if config.data is None:
        return _command("start", [*own, *searched])
    chosen = config.model_dump(include=OF_DATA, exclude_defaults=True)
    pairs = [("--set", f"{name}={str(value).lower()}") for name, value in chosen.items()]
    if config.options:
        pairs.append(("--set", f"options={inline_table(config.options)}"))
    return _command("start", [("--task", config.task.rpartition("-")[0]), *own, *searched, *pairs])


def _command(verb: str, flags: Sequence[tuple[str, str]]) -> str:
    return " ".join(["python -m evolve", verb, *(f"{flag} {shlex.quote(value)}" for flag, value in flags)])


def _own(config: Config, operators: Sequence[Operator]) -> Iterator[tuple[str, str]]:
    task = tasks.load(config.task)
    if task.reference:
        yield "--task", task.reference
    if "files" in task.options:
        yield "--data", task.options["folder"]
    if reference := strategies.strategy(config.strategy).reference:
        yield "--strategy", reference
    if registry.is_reference(config.executor):
        yield "--executor", config.executor
    for operator in operators:
        yield "--operator", registry.reference_of(type(operator))
