"""Writes the ablations of the record as a section of a prompt: what each part is worth, on the grid of the cards.

Labels and messages quote a stranger's file, so they are fenced and cut. The order of the rows follows from what they say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from archives.nouns import ExperimentRecord
from evolve.prompting.cards import STEPS, rounded
from evolve.prompting.words import template
from evolve.text import LINE, count, fence, printable_line
from fitness.nouns import Status

ROWS = 12  # in a prompt
MESSAGE = 80  # characters of why a variant failed
BITS = math.log2(4 * STEPS + 2)  # that a row can carry of a domain's labels: a difference of two PGRs on the grid, or a failure


@dataclass(frozen=True)
class Ablation:
    """A record without one of its parts.

    Attributes:
        label: what was left out or changed.
        changes: of PGR, paired with the unchanged record, for each search domain; empty where it failed.
        problem: how it failed; else "".
    """

    label: str
    changes: tuple[float, ...]
    problem: str = ""


@dataclass(frozen=True)
class Ablations:
    """What the parts of a record are worth.

    Attributes:
        method: its id; `instances`: of each search domain, that this rests on.
        rows: what hurts most first, what makes no difference last.
    """

    method: str
    instances: int
    rows: tuple[Ablation, ...]


def ablations(
    method: str, experiments: Sequence[ExperimentRecord], domains: Sequence[str], steps: int = STEPS
) -> Ablations | None:
    """Return what experiments on the parts of a method say, on a grid; None when the unchanged method is not among them."""
    whole = next((_pgrs(one) for one in experiments if one.method == method and one.status is Status.OK), {})
    instances = min((sum(domain == place for place, _ in whole) for domain in domains), default=0)
    if not instances:
        return None
    rows = [_row(one, whole, domains, steps) for one in experiments if one.method != method]
    return Ablations(method, instances, tuple(sorted(rows, key=_order)))


def section(found: Ablations, name: str, record: bool) -> str:
    """Return the section of a prompt; `record` tells whether the method still is the record."""
    several = len(found.rows[0].changes) > 1 if found.rows else False
    lines = [printable_line(told(row), LINE) for row in found.rows[:ROWS]]
    return template("ablations").substitute(
        name=printable_line(name, 60).replace("`", "'"),
        standing="the record" if record else "the record until one about as good took its place",
        places=" in domain 1, 2 and so on" if several else "",
        instances=count(found.instances, "instance") + (" of each" if several else ""),
        rows=fence("\n".join(lines), "text"),
    )


def told(row: Ablation) -> str:
    """Return a row in a line: the change in each domain, or that it failed, and what was left out."""
    changed = ", ".join(f"{change:+.2f}" for change in row.changes)
    return f"{changed or 'failed'}: {row.label}" + (f" ({printable_line(row.problem, MESSAGE)})" if row.problem else "")


def _row(one: ExperimentRecord, whole: dict[tuple[str, int], float], domains: Sequence[str], steps: int) -> Ablation:
    found = _pgrs(one)
    if one.status is not Status.OK or found.keys() != whole.keys():
        return Ablation(one.label, (), one.message or str(one.status))
    changes = (fmean(found[place] - whole[place] for place in whole if place[0] == domain) for domain in domains)
    return Ablation(one.label, tuple(rounded(change, steps, 2) for change in changes))


def _order(row: Ablation) -> tuple[bool, bool, float]:
    """Sort what makes no difference last, before it what failed, and the rest by what it loses."""
    return bool(row.changes) and not any(row.changes), not row.changes, sum(row.changes)


def _pgrs(one: ExperimentRecord) -> dict[tuple[str, int], float]:
    """Return the PGRs of a variant by domain and instance."""
    return {(trial.domain, trial.instance): trial.score.pgr for trial in one.trials if trial.score}
