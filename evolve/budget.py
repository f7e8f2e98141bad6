"""The budget: reserved before anything is spent, settled after, refunded when nothing came of it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from evolve.errors import BudgetRefused


@dataclass(frozen=True)
class Limit:
    """What a run may use; None is no limit."""

    evals: int
    minutes: float | None = None
    usd: float | None = None


class Budget:
    """Counts evaluations, dollars and minutes of one run, those of earlier sessions included."""

    def __init__(self, limit: Limit, evals: int = 0, usd: float = 0.0, seconds: float = 0.0) -> None:
        self.limit, self.evals, self.usd = limit, evals, usd
        self._reserved = 0
        self._before = seconds
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of the run so far."""
        return self._before + time.monotonic() - self._began

    @property
    def left(self) -> float:
        """Evaluations that can still be reserved; 0 when time or money has run out."""
        if self.limit.minutes is not None and self.seconds >= 60 * self.limit.minutes:
            return 0
        if self.limit.usd is not None and self.usd >= self.limit.usd:
            return 0
        return max(0, self.limit.evals - self.evals - self._reserved)

    def reserve(self) -> None:
        """Set one evaluation aside. Raises BudgetRefused when there is none left."""
        if self.left < 1:
            raise BudgetRefused("the budget is used up: resume with more, for example `--evals +100`")
        self._reserved += 1

    def refund(self) -> None:
        """Give back an evaluation that did not take place (a refused proposal, a lost worker)."""
        self._reserved -= 1

    def settle(self) -> None:
        """Count a reserved evaluation as done."""
        self._reserved -= 1
        self.evals += 1

    def pay(self, usd: float | None) -> None:
        """Count what a call cost. Raises BudgetRefused when the price is unknown and dollars are limited."""
        if usd is None:
            if self.limit.usd is not None:
                raise BudgetRefused(
                    "the price of this model is unknown, so --usd cannot be kept: give --evals or --minutes instead"
                )
            return
        self.usd += usd

    @property
    def spent_share(self) -> float:
        """How much of the tightest limit is used, in [0, 1]."""
        shares = [self.evals / self.limit.evals]
        if self.limit.minutes is not None:
            shares.append(self.seconds / (60 * self.limit.minutes))
        if self.limit.usd:
            shares.append(self.usd / self.limit.usd)
        return min(1.0, max(shares, default=math.inf))
