"""Runs the verb `promote`: the best methods of a run, on another task or at another fidelity."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from evolve.cli.options import device_option, echo_json, json_option, named_data, named_task, settings_option, trust_option


@click.command()
@click.option("--db", type=click.Path(path_type=Path), help="The run's archive (default: the newest in runs/).")
@click.option("--task", required=True, help="The task to judge on; your own as path/to/task.py[:NAME].")
@named_data
@settings_option
@click.option("--domain", help="The domain (default: the task's search domain).")
@click.option("--methods", default=8, show_default=True, type=click.IntRange(2, 1000), help="How many of the best set off.")
@click.option(
    "--instances", default=2, show_default=True, type=click.IntRange(1, 100), help="Instances that each is judged on."
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Trials at once.")
@device_option
@trust_option
@json_option
def promote(task: str, data: str | None, pairs: tuple[str, ...], device: str | None, as_json: bool, **flags: Any) -> None:
    """Let the best methods of a run earn trials where trials are dear: on another task, or at another fidelity of its own.

    By successive halving: all are judged on a few instances, the better half on twice as many, until one is left. How well
    the run's order foretold the new one is told as a rank correlation. The instances are those of judge, and every score is
    counted.
    """
    from evolve.cli.show.promotion import print_promotion
    from evolve.report.heartbeat import Waiting
    from evolve.runs.promotion import PromotionRequest
    from evolve.runs.promotion import promote as promoted

    def warn(text: str) -> None:
        click.echo(text, err=True)

    how = PromotionRequest(**flags, task=named_task(task, data, pairs), device=device or "auto")
    with Waiting("judging the best methods", quiet=as_json) as waiting:
        found = promoted(how, warn, waiting.say)
    if as_json:
        echo_json(asdict(found))
        return
    print_promotion(found)
