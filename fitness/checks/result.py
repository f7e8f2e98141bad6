"""Says what one check of a task found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckResult:
    """One check.

    Attributes:
        check: what was looked at.
        passed: whether a search may begin.
        sentence: what was found.
    """

    check: str
    passed: bool
    sentence: str
