"""Prints what `promote` found."""

from __future__ import annotations

from evolve.cli.show.console import paragraph, table
from evolve.runs.promotion import Promoted, Promotion
from evolve.text import estimate, interval, label, number
from fitness.nouns import Status


def print_promotion(found: Promotion) -> None:
    """Print a row a method, the one that was left first, and how well the run's order foretold this one."""
    paragraph(f"The best methods of {found.db} (on {found.run_task}), judged on {found.domain} of {found.task}:")
    areas = any(one.auc_pgr is not None for one in found.methods)
    heads = ("method", "run's dev PGR", "PGR here", *(("AUC PGR here",) if areas else ()), "instances")
    table(heads, [_row(one, areas) for one in found.methods], words=(0,), right=range(1, len(heads)))
    for one in found.methods:
        if one.status is not Status.OK:
            paragraph(f"{label(one.name, one.method)} is {one.status}: {one.message}", margin="  ")
    paragraph(_correlation(found))


def _row(one: Promoted, areas: bool) -> tuple[str, ...]:
    here = str(one.status) if one.pgr is None else estimate(one.pgr, one.low, one.high)
    by_area = (estimate(one.auc_pgr, one.auc_low, one.auc_high),) if areas else ()
    return label(one.name, one.method), number(one.run_pgr), here, *by_area, str(one.instances)


def _correlation(found: Promotion) -> str:
    if found.correlation is None:
        return "No rank correlation: too few methods that were judged OK, or all of one score."
    span = "" if found.low is None else f", 90 % interval {interval(found.low, found.high)}"
    among = f"over {found.compared} methods on the instances that all of them had"
    return f"Rank correlation of the run's dev PGR with PGR here (Spearman): {number(found.correlation)}{span}, {among}."
