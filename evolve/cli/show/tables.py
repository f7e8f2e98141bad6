"""Prints failures, costs, the hits of `find`, and what operators and directions gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archives.nouns import Row
from archives.sqlite.typed import integer, real
from evolve.cli.show.console import heading, paragraph, say, table
from evolve.queries.costs import CostLine, LostCalls
from evolve.queries.failures import FailureLine
from evolve.queries.full_text import Found, Hit
from evolve.queries.operators import DirectionLine, OperatorStats, descent, explained, over_islands
from evolve.text import NONE, count, duration, money, number, one_line, short

if TYPE_CHECKING:
    from evolve.prompting.ablations import Ablations
    from evolve.queries.diversity import DiversityPoint
    from evolve.queries.status import RunStatus

_REASON = 300  # characters of a reason that are shown
_MARGIN = 8  # columns that a reason is indented by


def print_failures(statuses: Mapping[str, int], lines: Sequence[FailureLine], limit: int) -> None:
    """Print the statuses with their counts, then the reasons."""
    if not lines:
        paragraph("Nothing was refused and nothing failed.")
        return
    parts = [f"{held:,} {one_line(status, 20)}" for status, held in sorted(statuses.items(), key=lambda one: -one[1])]
    paragraph(", ".join(parts))
    for line in lines[:limit]:
        say()
        example = short(line.method) if line.method else f"proposal {line.proposal}" if line.proposal is not None else ""
        heading(f"{line.count:>6,}  {one_line(line.status, 20)}" + (f"  like {one_line(example)}" if example else ""))
        paragraph(one_line(line.reason, _REASON) or "no reason given", margin=" " * _MARGIN)
    if len(lines) > limit:
        say()
        paragraph(f"{count(len(lines) - limit, 'more reason')}: see them with -n {len(lines)}.", "dim")


def print_costs(models: Sequence[CostLine], lost: Sequence[LostCalls], trials: Row) -> None:
    """Print what each model cost, what was cut off, and what judging took."""
    if models:
        rows = [
            [
                line.model, f"{line.calls:,}", amount(line.tokens_in), amount(line.cached), amount(line.tokens_out),
                amount(line.reasoning), money(line.usd), number(line.gain), _per_dollar(line),
            ]
            for line in models
        ]  # fmt: skip
        headers = ["model", "calls", "in", "cached", "out", "thought", "cost", "gain", "gain/$"]
        table(headers, rows, words=(0,), right=tuple(range(1, 9)), optional=(5, 3, 8))
        if any(line.usd is None for line in models):
            paragraph("Unknown: a call has no price; set `prices` in evolve.toml before the next start.")
    else:
        paragraph("No model was asked in this run, so nothing was paid.")
    if lost:
        say()
        rows = [[line.model, f"{line.calls:,}", amount(line.tokens), money(line.usd)] for line in lost]
        table(["cut off, at most", "calls", "tokens", "cost"], rows, words=(0,), right=(1, 2, 3))
    say()
    held = count(integer(trials, "n"), "evaluation")
    paragraph(f"{held} took {duration(real(trials, 'seconds'))} of trials.", "dim")


def print_found(found: Found) -> None:
    """Print the hits of a query."""
    if not found.hits:
        paragraph(f"Nothing in this run holds {one_line(found.query, 60)!r}: looked in code, ideas and directions.")
        return
    rows = [[hit.kind, _whose(hit), number(hit.fitness), f"{hit.line}" if hit.line else NONE, hit.text] for hit in found.hits]
    table(["", "method", "fitness", "line", ""], rows, words=(4, 1), right=(2, 3), optional=(3,))
    if found.total > len(found.hits):
        paragraph(f"{len(found.hits):,} of {count(found.total, 'hit')}: see more with -n.", "dim")


def _whose(hit: Hit) -> str:
    """Return the key that `show` takes, or where else it comes from."""
    return one_line(hit.label, 16) if hit.method else f"proposal {hit.proposal}" if hit.proposal is not None else NONE


def amount(tokens: int) -> str:
    """Return a count of tokens in at most five characters: 950, 12.3k, 4.5M."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if tokens >= size * 0.9995:
            scaled = tokens / size
            return f"{scaled:.1f}{unit}" if scaled < 99.95 else f"{scaled:.0f}{unit}"
    return str(tokens)


def _per_dollar(line: CostLine | OperatorStats) -> str:
    return "unknown" if line.usd is None else NONE if line.per_dollar is None else f"{line.per_dollar:.3g}"


_BARS = "▁▂▃▄▅▆▇█"
POINTS = 32  # of a sparkline
_ARMS = 6  # arms that are shown
_DIRECTIONS = 8  # directions that are shown


def print_search(now: RunStatus) -> None:
    """Print the arms and the directions of a run, where there are any."""
    summed = over_islands(now.arms)
    if summed:
        say()
        _print_arms(summed)
        paragraph(explained(summed))
    if any(line.tried for line in now.directions):
        say()
        _print_directions(now.directions)


def over_time(spreads: Sequence[DiversityPoint], most: float) -> str:
    """Return direction entropy over the run as a row of bars, with where it began and where it is now."""
    if len(spreads) < 2:
        return ""
    points = [spread.entropy for spread in spreads]
    width = min(len(points), POINTS)
    shown = [points[round(place * (len(points) - 1) / (width - 1))] for place in range(width)]
    bars = "".join(_BARS[min(len(_BARS) - 1, int(len(_BARS) * bits / max(most, 0.1)))] for bits in shown)
    third = points[: max(1, len(points) // 3)]
    return f"{bars}  first third {sum(third) / len(third):.1f}, now {points[-1]:.1f} bits"


def _print_arms(summed: Sequence[OperatorStats]) -> None:
    rows = [
        [
            arm.operator, arm.model or NONE, f"{arm.tried:,}", f"{arm.placed:,}", number(arm.gain),
            money(arm.usd) if arm.calls else NONE, _per_dollar(arm) if arm.calls else NONE,
        ]
        for arm in summed[:_ARMS]
    ]  # fmt: skip
    headers = ["arm", "model", "tried", "elites", "gain", "cost", "per dollar"]
    table(headers, rows, words=(1, 0), right=(2, 3, 4, 5, 6), optional=(6, 5))
    _more(len(summed) - _ARMS, "arm")


def _print_directions(lines: Sequence[DirectionLine]) -> None:
    rows = [[one_line(line.name, 32), f"{line.tried:,}", f"{line.placed:,}", descent(line)] for line in lines[:_DIRECTIONS]]
    table(["direction", "tried", "elites", "from"], rows, words=(3, 0), right=(1, 2), optional=(3,))
    _more(len(lines) - _DIRECTIONS, "direction")


def _more(left: int, noun: str) -> None:
    if left > 0:
        paragraph(f"{count(left, f'more {noun}')}: --json lists all", "dim")


def print_ablations(found: Ablations | None) -> None:
    """Print what the parts of a method are worth, where they were tried."""
    if found is None:
        return
    paragraph(f"ablations, on {count(found.instances, 'instance')} of each domain: PGR without a part, minus PGR", "bold")
    for row in found.rows:
        changed = ", ".join(number(change, sign=True) for change in row.changes) or "failed"
        why = f" ({one_line(row.problem, 80)})" if row.problem else ""
        paragraph(f"{changed}: {row.label}{why}", margin="  ")
    say()
