"""Runs the verb `judge`: one method file outside any run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from evolve.cli.options import device_option, echo_json, trust_option
from evolve.text import count, printable_line

SAID = 400  # characters of a line that the method printed


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--task", default="embedded", show_default=True, help="The task to judge on; your own as path/to/task.py[:NAME].")
@click.option("--domain", help="The domain (default: the task's search domain).")
@click.option("--instances", default=5, show_default=True, type=click.IntRange(1, 100), help="How many instances.")
@click.option("--probes/--no-probes", default=True, show_default=True, help="Probe the method for reward hacks, thoroughly.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Trials at once.")
@device_option
@trust_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def judge(file: Path, device: str | None, as_json: bool, **flags: Any) -> None:
    """Judge one method FILE outside any run: PGR with its 90 % interval, instance by instance, and the probes it fails.

    It runs on instances of its own, never on those a search uses; every score that is shown is counted. A method that fails
    is not an error of this command: the status says what happened.
    """
    from evolve.report.heartbeat import Waiting
    from evolve.runs.judge import JudgeRequest
    from evolve.runs.judge import judge as judged
    from evolve.runs.seeds import read

    def warn(text: str) -> None:
        click.echo(text, err=True)

    how = JudgeRequest(**flags, device=device or "auto")
    with Waiting(f"judging {file}", quiet=as_json) as waiting:
        verdict = judged(read(file), how, warn, waiting.say)
    if as_json:
        echo_json(verdict)
    else:
        _print(verdict)


def _print(verdict: dict[str, Any]) -> None:
    from evolve.cli.show.console import paragraph, table

    paragraph(f"{verdict['file']} on {verdict['domain']}: {verdict['status']}")
    paragraph(verdict["message"], margin="  ")
    for line in verdict["said"]:
        click.echo(f"    {printable_line(line, SAID)}")
    if verdict["pgr"] is None:
        return
    low, high, n = verdict["pgr_low"], verdict["pgr_high"], len(verdict["instances"])
    span = f"90 % interval [{low:.2f}, {high:.2f}]" if low is not None else f"n = {n}: too few for an interval"
    paragraph(f"PGR {verdict['pgr']:.3f}, {span}, {count(n, 'instance')}", margin="  ")
    accuracies = [f"{verdict[name]:.3f}" for name in ("transfer_acc", "weak_acc", "strong_acc")]
    paragraph("accuracy {}, weak teacher {}, ceiling {}".format(*accuracies), margin="  ")
    _print_probes(verdict["probes"])
    rows = [
        [
            f"{row['instance']:>10}",
            *(f"{row[name]:.3f}" for name in ("pgr", "transfer_acc", "weak_acc", "strong_acc")),
            f"{row['seconds']:.2f}",
        ]
        for row in verdict["instances"]
    ]
    heads = ["  instance", "PGR", "accuracy", "teacher", "ceiling", "seconds"]
    table(heads, rows, words=(), right=range(6), optional=(5, 4, 3))


def _print_probes(findings: list[dict[str, Any]]) -> None:
    """Print what the reward-hack probes found on the instances that were looked at."""
    from evolve.cli.show.console import paragraph

    against = {finding["probe"]: finding for finding in findings if finding["verdict"] in ("FAILED", "CONTESTED")}
    for probe, finding in against.items():
        how = "flagged by" if finding["verdict"] == "FAILED" else "no flag, but contested by"
        paragraph(f"{how} {probe} on instance {finding['instance']}: {finding['sentence']}", margin="  ")
    if findings and not against:
        passed = {finding["probe"] for finding in findings if finding["verdict"] == "PASSED"}
        silent = {finding["probe"] for finding in findings} - passed
        click.echo(f"  no flags: {len(passed)} probes passed, {len(silent)} had nothing to say")
