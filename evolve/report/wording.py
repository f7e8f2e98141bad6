"""How numbers and names are written, the same everywhere: .66, [.58, .74], 4 min 12 s."""

from __future__ import annotations

import math

from evolve.nouns import short
from evolve.report.clean import one_line

NONE = "–"


def number(value: float | None, *, sign: bool = False) -> str:
    """Return a PGR with two decimals and no leading zero: .66, -.12, 1.02; a dash for None or what is not finite."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:+.2f}" if sign else f"{value:.2f}"
    if text in ("-0.00", "+0.00"):
        text = "0.00"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def interval(low: float | None, high: float | None) -> str:
    """Return an interval: [.58, .74]; empty when an end is unknown or not finite."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{number(low)}, {number(high)}]"


def estimate(mean: float | None, low: float | None, high: float | None) -> str:
    """Return a mean with its interval: .66 [.58, .74]."""
    return f"{number(mean)} {interval(low, high)}".strip()


def duration(seconds: float) -> str:
    """Return a time: 42 s, 4 min 12 s, 3 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def money(usd: float | None) -> str:
    """Return a price; one that is not known is unknown, never 0."""
    if usd is None:
        return "unknown"
    return f"${usd:.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.4f}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: 1 method, 1,234 methods."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def label(name: str, method: str) -> str:
    """Return what people call a method: its name on one line, or the first characters of its id."""
    return one_line(name, 40) or one_line(short(method))


def words(name: str) -> str:
    """Return an identifier as words: teacher agreement."""
    return name.replace("_", " ")
