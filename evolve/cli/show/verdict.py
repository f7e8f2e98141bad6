"""Prints what `judge` found of one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import click

from evolve.cli.show.console import paragraph, table
from evolve.queries.method import by_name
from evolve.text import NONE, count, printable_line

SAID = 400  # characters of a line that the method printed
Fields = dict[str, Any]


def print_verdict(verdict: Fields) -> None:
    """Print one verdict: the status, what the method said, its scores, the pair, what probes found, what it noted."""
    paragraph(f"{verdict['file']} on {verdict['domain']}: {verdict['status']}")
    paragraph(verdict["message"], margin="  ")
    for line in verdict["said"]:
        click.echo(f"    {printable_line(line, SAID)}")
    if verdict["pgr"] is not None:
        _print_scores(verdict)
    print_noted(by_name(row["notes"] for row in verdict["instances"]))
    if verdict["looks"]:
        paragraph(f"looks at fresh instances of {verdict['domain']} so far: {verdict['looks']}", margin="  ")


def _print_scores(verdict: Fields) -> None:
    rows, against = verdict["instances"], verdict["against"]
    paragraph(f"PGR {_spanned(verdict, 'pgr', len(rows))}, {count(len(rows), 'instance')}", margin="  ")
    _print_auc(verdict)
    numbers = [f"{verdict[name]:.3f}" for name in ("transfer_acc", "weak_acc", "strong_acc")]
    paragraph("value {}, floor {}, ceiling {}".format(*numbers), margin="  ")
    if against is not None:
        _print_pair(against)
    _print_probes(verdict["probes"])
    others = [row["pgr"] for row in against["instances"]] if against is not None else [None] * len(rows)
    _print_instances(rows, others, against is not None)


def _print_auc(verdict: Fields) -> None:
    """Print AUC PGR where an instance has any, and on how many there is none."""
    if verdict["auc_pgr"] is None:
        return
    n = sum(row["auc_pgr"] is not None for row in verdict["instances"])
    lacking = len(verdict["instances"]) - n
    none = f"; {count(lacking, 'instance')} without: the ceiling's AUC is unknown or too low" if lacking else ""
    paragraph(f"AUC PGR {_spanned(verdict, 'auc_pgr', n)}{none}", margin="  ")


def _spanned(verdict: Fields, name: str, n: int) -> str:
    """Return a mean over n instances with its interval, or why there is none."""
    mean, low, high = (verdict[name + end] for end in ("", "_low", "_high"))
    span = f"90 % interval [{low:.2f}, {high:.2f}]" if low is not None else f"n = {n}: too few for an interval"
    return f"{mean:.3f}, {span}"


def _print_pair(against: Fields) -> None:
    """Print the paired difference, or why there is none."""
    name = against["name"]
    if against["pgr"] is None:
        paragraph(f"no difference to {name}, which is {against['status']}: {against['message']}", margin="  ")
    else:
        mean, low, high, n = (*(against[key] for key in ("difference", "low", "high")), len(against["instances"]))
        told = f"n = {n}: too few for an interval"
        if low is not None:
            told = f"90 % interval [{low:+.3f}, {high:+.3f}]; one-sided 95 % bound {low:+.3f}: {_meaning(low, high)}"
        paragraph(f"against {name} (PGR {against['pgr']:.3f} on the same rows and seeds): {mean:+.3f}, {told}", margin="  ")


def _meaning(low: float, high: float) -> str:
    return "it is shown to be better" if low > 0 else "it is shown to be worse" if high < 0 else "no difference is shown"


def _print_instances(rows: Sequence[Fields], others: Sequence[float | None], paired: bool) -> None:
    """Print a row for each instance, with the other method's PGR beside its own where there is one."""
    names = ("transfer_acc", "weak_acc", "strong_acc")
    cells = []
    for row, other in zip(rows, others):
        beside = [NONE, NONE] if other is None else [f"{other:.3f}", f"{row['pgr'] - other:+.3f}"]
        scores = [f"{row['pgr']:.3f}", *(beside if paired else ()), *(f"{row[name]:.3f}" for name in names)]
        cells.append([f"{row['instance']:>10}", *scores, f"{row['seconds']:.2f}"])
    heads = ["  instance", "PGR", *(("other", "difference") if paired else ()), "value", "floor", "ceiling", "seconds"]
    last = len(heads) - 1
    table(heads, cells, words=(), right=range(len(heads)), optional=(last, last - 1, last - 2))


def print_noted(noted: Mapping[str, Sequence[float]]) -> None:
    """Print the numbers that a method noted: each one's mean and range over its trials."""
    if noted:
        cells = [[name, *(f"{v:.4g}" for v in (fmean(vs), min(vs), max(vs))), f"{len(vs)}"] for name, vs in noted.items()]
        table(["noted", "mean", "least", "most", "trials"], cells, words=(0,), right=range(1, 5), optional=(4,))


def _print_probes(findings: Sequence[Fields]) -> None:
    """Print what the reward-hack probes found on the instances that were looked at."""
    against = {finding["probe"]: finding for finding in findings if finding["verdict"] in ("FAILED", "CONTESTED")}
    for probe, finding in against.items():
        how = "flagged by" if finding["verdict"] == "FAILED" else "no flag, but contested by"
        paragraph(f"{how} {probe} on instance {finding['instance']}: {finding['sentence']}", margin="  ")
    if findings and not against:
        passed = {finding["probe"] for finding in findings if finding["verdict"] == "PASSED"}
        silent = {finding["probe"] for finding in findings} - passed
        click.echo(f"  no flags: {len(passed)} probes passed, {len(silent)} had nothing to say")
