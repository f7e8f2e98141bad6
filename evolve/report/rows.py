"""Reading typed values out of the rows of a query."""

from __future__ import annotations

from archives.nouns import Row
from archives.typed import LARGEST


def text(row: Row, name: str) -> str:
    """Return a text; empty for NULL."""
    value = row[name]
    return "" if value is None else str(value)


def maybe_real(row: Row, name: str) -> float | None:
    """Return a real; None for NULL and for what no score is: not finite (an interval of one instance has no ends) or huge."""
    value = row[name]
    return float(value) if isinstance(value, (int, float)) and abs(value) <= LARGEST else None


def real(row: Row, name: str) -> float:
    """Return a real; 0 for NULL (an empty sum)."""
    return maybe_real(row, name) or 0.0


def maybe_integer(row: Row, name: str) -> int | None:
    """Return an integer; None for NULL."""
    value = row[name]
    return value if isinstance(value, int) else None


def integer(row: Row, name: str) -> int:
    """Return an integer; 0 for NULL (an empty sum)."""
    return maybe_integer(row, name) or 0
