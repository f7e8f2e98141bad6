"""Prints what `promote` found."""

from __future__ import annotations

from evolve.cli.show.console import paragraph, table
from evolve.runs.promotion import Promoted, Promotion
from evolve.text import label
from fitness.nouns import Status


def print_promotion(found: Promotion) -> None:
    """Print a row a method, the one that was left first, and how well the run's order foretold this one."""
    paragraph(f"The best methods of {found.db} (on {found.run_task}), judged on {found.domain} of {found.task}:")
    heads = ("method", "run's dev PGR", "PGR here", "instances")
    table(heads, [_row(one) for one in found.methods], words=(0,), right=(1, 2, 3))
    for one in found.methods:
        if one.status is not Status.OK:
            paragraph(f"{label(one.name, one.method)} is {one.status}: {one.message}", margin="  ")
    paragraph(_correlation(found))


def _row(one: Promoted) -> tuple[str, ...]:
    here = str(one.status) if one.pgr is None else f"{one.pgr:.2f}"
    span = "" if one.low is None or one.high is None else f" [{one.low:.2f}, {one.high:.2f}]"
    return label(one.name, one.method), f"{one.run_pgr:.2f}", here + span, str(one.instances)


def _correlation(found: Promotion) -> str:
    if found.correlation is None:
        return "No rank correlation: too few methods that were judged OK, or all of one score."
    span = "" if found.low is None else f", 90 % interval [{found.low:.2f}, {found.high:.2f}]"
    among = f"over {found.compared} methods on the instances that all of them had"
    return f"Rank correlation of the run's dev PGR with PGR here (Spearman): {found.correlation:.2f}{span}, {among}."
