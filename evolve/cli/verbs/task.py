"""Runs the verb `task`: writes, checks and shows a task of the user's own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.options import (
    device_option,
    echo_json,
    json_option,
    named_data,
    named_task,
    settings_option,
    trust_option,
)  # fmt: skip
from evolve.errors import UsageError

if TYPE_CHECKING:
    from fitness.checks.result import CheckResult


@click.group()
def task() -> None:
    """Write a task of your own, check it before a search, and show what a model is told of it."""


@task.command()
@click.argument("name")
def new(name: str) -> None:
    """Write NAME.py, a task that runs as it is, with comments where to think, and two baselines."""
    from evolve.runs.task_file import write

    files = write(name)
    for path in files:
        click.echo(f"wrote {path}")
    click.echo(f"check it:  python -m evolve task check {files[0]}")
    click.echo(f"search:    python -m evolve start --task {files[0]} --evals 40")


@task.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the tasks that can be named, with one line each."""
    from evolve.runs.task_file import listed

    rows = listed()
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        click.echo(f"{row['task']}: {row['about']}")
    click.echo("your own: a file, as path/to/task.py; `task new NAME` writes one")


@task.command()
@click.argument("reference", metavar="FILE|NAME")
@named_data
@settings_option
@json_option
def show(reference: str, data: str | None, pairs: tuple[str, ...], as_json: bool) -> None:
    """Show what a model is told of a task: brief and contract; and its domains, limits, anchors, probes."""
    from evolve.runs.task_file import described
    from fitness import tasks

    found: dict[str, Any] = described(tasks.load(named_task(reference, data, pairs)))
    if as_json:
        echo_json(found)
        return
    click.echo(found["told"])
    click.echo(f"searched on: {', '.join(found['search_domains'])}; held out: {', '.join(found['held_out_domains']) or 'none'}")
    click.echo(f"limits: {found['seconds']:g} s and {found['memory'] / 2**30:.1f} GB for one run of a method")
    click.echo(f"{found['value']} between {found['floor']} (0) and {found['ceiling']} (1)")
    click.echo(f"probes: {', '.join(found['probes'])}; grid: {' x '.join(found['measures'])}")
    click.echo(f"baselines: {found['baselines']}")


@task.command()
@click.argument("reference", metavar="FILE|NAME")
@named_data
@settings_option
@device_option
@trust_option
@json_option
def check(reference: str, data: str | None, pairs: tuple[str, ...], device: str | None, trust: bool, as_json: bool) -> None:
    """Check a task before a search: draws, baselines, null answers, leaks, symmetries, noise. Exits 2 when a check fails."""
    from evolve.report.heartbeat import Waiting
    from evolve.runs.task_check import full
    from fitness import tasks

    results: list[CheckResult] = []
    with Waiting(f"checking {reference}", quiet=as_json) as waiting:
        for result in full(tasks.load(named_task(reference, data, pairs)), waiting.say, device or "auto", trust):
            results.append(result)
            if not as_json:
                _print(result)
    if as_json:
        echo_json([asdict(result) for result in results])
    failed = [result for result in results if not result.passed]
    if failed:
        raise UsageError(f"{len(failed)} of {len(results)} checks fail, first {failed[0].check}: {failed[0].sentence}")
    if not as_json:
        click.echo(f"all {len(results)} checks pass")


def _print(result: CheckResult) -> None:
    from evolve.cli.show.console import paragraph

    paragraph(f"{'ok  ' if result.passed else 'FAIL'} {result.check}: {result.sentence}")
