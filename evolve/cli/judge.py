"""The verb `judge`: one method file outside any run."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.common import device_option, echo_json, trust_option
from evolve.errors import UsageError

if TYPE_CHECKING:
    from evolve.baselines import SeedFile
    from fitness.nouns import Evaluation

FIRST = 1000  # judge's own instances: fresh ones that no search ever draws


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--task", default="embedded", show_default=True, help="The task to judge on.")
@click.option("--domain", help="The domain (default: the task's search domain).")
@click.option("--instances", default=5, show_default=True, type=click.IntRange(1, 100), help="How many instances.")
@click.option("--probes/--no-probes", default=True, show_default=True, help="Probe the method for reward hacks, thoroughly.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Trials at once.")
@device_option
@trust_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def judge(
    file: Path,
    task: str,
    domain: str | None,
    instances: int,
    probes: bool,
    workers: int,
    device: str | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Judge one method FILE outside any run: PGR with its 90 % interval, instance by instance, and the probes it fails.

    It runs on instances of its own, never on those a search uses; every look at them is counted. A method that fails is not an
    error of this command: the status says what happened.
    """
    from evolve.baselines import read

    verdict = _judge(read(file), task, domain, instances, probes, workers, device or "auto", trust, quiet=as_json)
    if as_json:
        echo_json(verdict)
    else:
        _print(verdict)


def _judge(
    seed: SeedFile,
    task_name: str,
    domain: str | None,
    instances: int,
    probes: bool,
    workers: int,
    device: str,
    trust: bool,
    quiet: bool,
) -> dict[str, Any]:
    from evolve import executors
    from evolve.lab import bench
    from evolve.screen import Screen
    from fitness import tasks
    from fitness.nouns import Evaluation, Split, Status
    from fitness.sandbox.doctor import CONTAINED
    from fitness.vault import InstanceName

    task = tasks.load(task_name)
    domain = domain or task.search_domains[0]
    if domain not in tasks.domains(task):
        raise UsageError(f"{task.name} has no domain {domain!r}: the domains are {', '.join(tasks.domains(task))}")
    facts: dict[str, Any] = {"method": None, "file": str(seed.path), "domain": domain}
    names = [InstanceName(task.name, domain, Split.FRESH, FIRST + i) for i in range(instances)]
    with bench(task.name, names, device, trust=trust) as things:
        if things.sandbox.level not in CONTAINED:
            click.echo(things.sandbox.summary, err=True)
        if things.sandbox.note and not quiet:
            click.echo(things.sandbox.note, err=True)
        facts["device"] = things.sandbox.device
        screened = Screen(things.syntax).parse(seed.source, seed.name)
        if screened.method is None:
            return facts | _outcome(Evaluation("", (), Status.INVALID, None, message=screened.reason)) | {"looks": 0}
        method = screened.method.method
        missing = sum(not things.vault.ready(task, n.domain, n.split, n.index) for n in names)
        if missing and not quiet:
            click.echo(f"building {missing} instances of {domain}, about {4 * missing} s", err=True)
        executor = executors.load("local", workers)
        try:
            futures = [executor.submit(partial(things.judge.trial, method, name)) for name in names]
            trials = tuple(future.result() for future in futures)
            failed = next((t for t in trials if t.status is not Status.OK), None)
            status, message = (failed.status, failed.message) if failed else (Status.OK, "")
            whole = Evaluation(method.id, trials, status, None, message=message)
            if probes and not failed:
                whole = replace(whole, findings=things.judge.examine(method, trials[0], thorough=True))
        finally:
            things.stop.set()
            executor.close()
        looks = things.vault.look("judge", method.id, domain, Split.FRESH, len(trials))
    return facts | {"method": method.id} | _outcome(whole) | {"looks": looks}


def _outcome(evaluation: Evaluation) -> dict[str, Any]:
    """Return the fields of the verdict that come from the evaluation; pgr is None unless every trial was OK."""
    from statistics import fmean

    from fitness.nouns import Status
    from fitness.pgr import interval

    scores = evaluation.scores if evaluation.status is Status.OK else ()
    span = interval(scores) if len(scores) > 1 else None

    def mean(name: str) -> float | None:
        return fmean(getattr(s, name) for s in scores) if scores else None

    rows = [
        {
            "instance": t.instance,
            "status": str(t.status),
            **{name: getattr(t.score, name, None) for name in ("pgr", "transfer_acc", "weak_acc", "strong_acc")},
            "seconds": round(t.seconds, 4),
        }
        for t in evaluation.trials
    ]
    return {
        "status": str(evaluation.status),
        "message": evaluation.message,
        "pgr": mean("pgr"),
        "pgr_low": span.low if span else None,
        "pgr_high": span.high if span else None,
        **{name: mean(name) for name in ("transfer_acc", "weak_acc", "strong_acc")},
        "seconds": round(evaluation.seconds, 4),
        "flags": list(evaluation.flags),
        "probes": [asdict(finding) for finding in evaluation.findings],
        "instances": rows,
    }


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
    """Say which reward-hack probes failed, or that none did."""
    failed = [finding for finding in findings if finding["verdict"] == "FAILED"]
    for finding in failed:
        click.echo(click.wrap_text(f"flagged by {finding['probe']}: {finding['sentence']}", 88, "  ", "    "))
    if findings and not failed:
        passed = sum(finding["verdict"] == "PASSED" for finding in findings)
        click.echo(f"  no flags: {passed} probes passed, {len(findings) - passed} had nothing to say")
