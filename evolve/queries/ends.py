"""Reads the ends of intervals: None where too few instances are behind them, also in archives whose version gave some."""

from __future__ import annotations

from archives.nouns import Row
from archives.sqlite.typed import integer, maybe_real, text
from fitness.pgr import FEWEST

INSTANCES = "{0}.trials / (1 + length({0}.domain) - length(replace({0}.domain, '+', '')))"  # of each domain


def instances(row: Row) -> int:
    """Return how many instances of each domain an evaluation ran on."""
    return of_each(text(row, "domain"), integer(row, "trials"))


def of_each(domain: str, trials: int) -> int:
    """Return how many of the trials were on each of the domains that are stored as one."""
    return trials // (1 + domain.count("+"))


def ends(row: Row, low: str = "pgr_low", high: str = "pgr_high", n: int | None = None) -> dict[str, float | None]:
    """Return two columns of an evaluation's row; `n` is the number of instances of each domain where `trials` does not say."""
    few = (instances(row) if n is None else n) < FEWEST
    return {name: None if few else maybe_real(row, name) for name in (low, high)}
