"""Runs the verb `judge`: method files outside any run, alone or each against another method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from evolve.cli.options import device_option, echo_json, named_data, named_task, settings_option, trust_option


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "--against",
    default="",
    metavar="best|BASELINE|FILE",
    help="Also the paired difference to the champion of a run, to a human baseline, or to another file.",
)
@click.option("--db", type=click.Path(path_type=Path), help="The archive of --against best (default: the newest in runs/).")
@click.option("--task", default="embedded", show_default=True, help="The task to judge on; your own as path/to/task.py[:NAME].")
@named_data
@settings_option
@click.option("--domain", help="The domain (default: the task's search domain).")
@click.option("--instances", default=5, show_default=True, type=click.IntRange(1, 100), help="How many instances.")
@click.option("--probes/--no-probes", default=True, show_default=True, help="Probe the methods for reward hacks, thoroughly.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Trials at once.")
@device_option
@trust_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text: of several files a list.")
def judge(
    files: tuple[Path, ...],
    task: str,
    data: str | None,
    pairs: tuple[str, ...],
    device: str | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """Judge method files outside any run: PGR with its 90 % interval, instance by instance, and the probes they fail.

    They run on instances of their own, never on those a search uses; every score that is shown is counted. With --against, both
    methods of a pair are handed the same rows in the same order with the same seed, so that small differences can be read. A
    method that fails is not an error of this command: the status says what happened.
    """
    from evolve.cli.show.verdict import print_verdict
    from evolve.report.heartbeat import Waiting
    from evolve.runs.judge import JudgeRequest
    from evolve.runs.judge import judge as judged
    from evolve.runs.seeds import read

    def warn(text: str) -> None:
        click.echo(text, err=True)

    how = JudgeRequest(**flags, task=named_task(task, data, pairs), device=device or "auto")
    with Waiting(f"judging {', '.join(map(str, files))}", quiet=as_json) as waiting:
        verdicts = judged([read(file) for file in files], how, warn, waiting.say)
    if as_json:
        echo_json(verdicts if len(files) > 1 else verdicts[0])
        return
    for verdict in verdicts:
        print_verdict(verdict)
