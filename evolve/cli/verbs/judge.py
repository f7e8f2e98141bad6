"""Runs the verb `judge`: one method file outside any run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from evolve.cli.options import device_option, echo_json, trust_option


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
    from evolve.runs.judge import JudgeRequest
    from evolve.runs.judge import judge as judged
    from evolve.runs.seeds import read

    def warn(text: str) -> None:
        click.echo(text, err=True)

    how = JudgeRequest(**flags, device=device or "auto")
    verdict = judged(read(file), how, warn, (lambda _: None) if as_json else warn)
    if as_json:
        echo_json(verdict)
    else:
        _print(verdict)


def _print(verdict: dict[str, Any]) -> None:
    click.echo(f"{verdict['file']} on {verdict['domain']}: {verdict['status']}")
    if verdict["message"]:
        click.echo(f"  {verdict['message']}")
    if verdict["pgr"] is None:
        return
    low, high = verdict["pgr_low"], verdict["pgr_high"]
    span = f"90 % interval [{low:.2f}, {high:.2f}]" if low is not None else "one instance: no interval"
    click.echo(f"  PGR {verdict['pgr']:.3f}, {span}, {len(verdict['instances'])} instances")
    click.echo(
        f"  accuracy {verdict['transfer_acc']:.3f}, weak teacher {verdict['weak_acc']:.3f}, ceiling {verdict['strong_acc']:.3f}"
    )
    _print_probes(verdict["probes"])
    click.echo(f"  {'instance':>8} {'PGR':>7} {'accuracy':>9} {'teacher':>8} {'ceiling':>8} {'seconds':>8}")
    for row in verdict["instances"]:
        click.echo(
            f"  {row['instance']:>8} {row['pgr']:>7.3f} {row['transfer_acc']:>9.3f} {row['weak_acc']:>8.3f} "
            f"{row['strong_acc']:>8.3f} {row['seconds']:>8.2f}"
        )


def _print_probes(findings: list[dict[str, Any]]) -> None:
    """Print what the reward-hack probes found on the instances that were looked at."""
    against = {finding["probe"]: finding for finding in findings if finding["verdict"] in ("FAILED", "CONTESTED")}
    for probe, finding in against.items():
        how = "flagged by" if finding["verdict"] == "FAILED" else "no flag, but contested by"
        text = f"{how} {probe} on instance {finding['instance']}: {finding['sentence']}"
        click.echo(click.wrap_text(text, 88, "  ", "    "))
    if findings and not against:
        passed = {finding["probe"] for finding in findings if finding["verdict"] == "PASSED"}
        silent = {finding["probe"] for finding in findings} - passed
        click.echo(f"  no flags: {len(passed)} probes passed, {len(silent)} had nothing to say")
