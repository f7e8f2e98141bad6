"""What failures, costs and find print for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archives.nouns import Row
from evolve.cli.printing import paragraph, say, table
from evolve.nouns import short
from evolve.report.clean import one_line
from evolve.report.finding import Found, Hit
from evolve.report.rows import integer, real
from evolve.report.tables import CostLine, FailureLine, LostCalls
from evolve.report.wording import NONE, count, duration, money, number

_REASON = 300  # characters of a reason that are shown
_MARGIN = 8


def print_failures(statuses: Mapping[str, int], lines: Sequence[FailureLine], limit: int) -> None:
    """Print the statuses with their counts, then the reasons."""
    if not lines:
        say("Nothing was refused and nothing failed.")
        return
    parts = [f"{held:,} {one_line(status, 20)}" for status, held in sorted(statuses.items(), key=lambda one: -one[1])]
    paragraph(", ".join(parts))
    for line in lines[:limit]:
        say()
        example = short(line.method) if line.method else f"proposal {line.proposal}" if line.proposal is not None else ""
        say(f"{line.count:>6,}  {one_line(line.status, 20)}" + (f"  like {one_line(example)}" if example else ""), "bold")
        paragraph(one_line(line.reason, _REASON) or "no reason given", margin=" " * _MARGIN)
    if len(lines) > limit:
        say()
        say(f"{count(len(lines) - limit, 'more reason')}: see them with -n {len(lines)}.", "dim")


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
        table(headers, rows, flexible=0, right=tuple(range(1, 9)))
        if any(line.usd is None for line in models):
            paragraph("Unknown: a call has no price; set `prices` in evolve.toml before the next start.")
    else:
        say("No model was asked in this run, so nothing was paid.")
    if lost:
        say()
        rows = [[line.model, f"{line.calls:,}", amount(line.tokens), money(line.usd)] for line in lost]
        table(["cut off, at most", "calls", "tokens", "cost"], rows, flexible=0, right=(1, 2, 3))
    say()
    held = count(integer(trials, "n"), "evaluation")
    say(f"{held} took {duration(real(trials, 'seconds'))} of trials.", "dim")


def print_found(found: Found) -> None:
    """Print the hits of a query."""
    if not found.hits:
        paragraph(f"Nothing in this run holds {one_line(found.query, 60)!r}: looked in code, ideas, findings and directions.")
        return
    rows = [[hit.kind, _whose(hit), number(hit.fitness), f"{hit.line}" if hit.line else NONE, hit.text] for hit in found.hits]
    table(["", "method", "fitness", "line", ""], rows, flexible=4, right=(2, 3))
    if found.total > len(found.hits):
        say(f"{len(found.hits):,} of {count(found.total, 'hit')}: see more with -n.", "dim")


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


def _per_dollar(line: CostLine) -> str:
    return "unknown" if line.usd is None else NONE if line.per_dollar is None else f"{line.per_dollar:.3g}"
