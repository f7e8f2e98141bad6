"""Reserves the budget before anything is spent, settles it after, and refunds it when nothing came of it.

A model call is reserved at its worst case (Usage of `Model.worst`) and settled at what it cost; where the server does not say,
the worst case is what counts. Safe to use from several threads.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from archives.nouns import Usage
from evolve.errors import BudgetRefused

FREE = Usage()


@dataclass(frozen=True)
class Limit:
    """What a run may use: evaluations, trials, minutes, and dollars, tokens and number of its model calls; None is no limit."""

    evals: int
    minutes: float | None = None
    usd: float | None = None
    tokens: int | None = None
    calls: int | None = None
    trials: int | None = None


@dataclass
class _Account:
    """Dollars, tokens and calls that were spent, or are reserved."""

    usd: float = 0.0
    tokens: int = 0
    calls: int = 0

    def add(self, usage: Usage, sign: int = 1) -> None:
        self.usd += sign * (usage.usd or 0.0)
        self.tokens += sign * (usage.tokens_in + usage.tokens_out)
        self.calls += sign * usage.calls


class Budget:
    """Counts what one run uses, earlier sessions included: `spent` on model calls, `tried` in trials of experiments by then."""

    def __init__(
        self, limit: Limit, evals: int = 0, spent: Usage = FREE, seconds: float = 0.0, trials: int = 0, tried: int = 0
    ) -> None:
        self.limit, self.evals, self.trials = limit, evals, trials
        self._tried = tried  # trials of experiments
        self._lock = threading.Lock()
        self._spent, self._held = _Account(), _Account()
        self._spent.add(spent)
        self._reserved = 0
        self._before = seconds
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of the run so far."""
        return self._before + time.monotonic() - self._began

    @property
    def usd(self) -> float:
        """Dollars spent; where a price is unknown, nothing."""
        return self._spent.usd

    @property
    def left(self) -> float:
        """Evaluations that can still be reserved; 0 when time or money has run out."""
        if self.limit.minutes is not None and self.seconds >= 60 * self.limit.minutes:
            return 0
        if any(limit is not None and spent >= limit for limit, spent, _ in self._money(FREE)):
            return 0
        if self.limit.trials is not None and self.trials + self._tried >= self.limit.trials:
            return 0
        return max(0, self.limit.evals - self.evals - self._reserved)

    def affords(self, worst: Usage) -> bool:
        """Tell whether a call fits in beside what was spent and what is reserved."""
        return all(limit is None or need <= limit for limit, _, need in self._money(worst))

    def reserve(self, worst: Usage = FREE) -> None:
        """Set one evaluation and one call's worst case aside, in one step. Raises BudgetRefused when there is no room."""
        if self.left < 1:
            raise BudgetRefused("the budget is used up: resume with more, for example `--evals +100`")
        self.hold(worst)
        self._reserved += 1

    def hold(self, worst: Usage) -> None:
        """Set the worst case of a call aside. Raises BudgetRefused when there is no room for it."""
        with self._lock:
            if not self.affords(worst):
                raise BudgetRefused(f"the budget has no room for another call: {self._shortage(worst)}")
            self._held.add(worst)

    def release(self, worst: Usage) -> None:
        """Give back what was set aside for a call that was not made, or not answered."""
        with self._lock:
            self._held.add(worst, -1)

    def pay(self, worst: Usage, usage: Usage) -> None:
        """Count what a call cost in place of its reservation."""
        with self._lock:
            self._held.add(worst, -1)
            self._spent.add(counted(worst, usage))

    def refund(self) -> None:
        """Give back an evaluation that did not take place (a refused proposal, a lost worker)."""
        self._reserved -= 1

    def settle(self, trials: int = 0) -> None:
        """Count a reserved evaluation as done, with its trials."""
        self._reserved -= 1
        self.evals += 1
        self.trials += trials

    def experimented(self, trials: int) -> None:
        """Count the trials of an experiment."""
        with self._lock:
            self._tried += trials

    @property
    def judged_share(self) -> float:
        """How much of the evaluations or trials is used; not of time or money: what follows from it repeats in a replay."""
        trials = self.trials / self.limit.trials if self.limit.trials else 0.0
        return max(self.evals / self.limit.evals, trials)

    def _money(self, worst: Usage) -> list[tuple[float | None, float, float]]:
        """Return (limit, spent, spent with all reservations and one more call) of dollars, tokens and calls."""
        limit, spent, held, tokens = self.limit, self._spent, self._held, worst.tokens_in + worst.tokens_out
        return [
            (limit.usd, spent.usd, spent.usd + held.usd + (worst.usd or 0.0)),
            (limit.tokens, spent.tokens, spent.tokens + held.tokens + tokens),
            (limit.calls, spent.calls, spent.calls + held.calls + worst.calls),
        ]

    def _shortage(self, worst: Usage) -> str:
        names = (("--usd", "${:.4f}"), ("--tokens", "{:,}"), ("--set max_calls", "{:,}"))
        for (name, form), (limit, spent, need) in zip(names, self._money(worst)):
            if limit is not None and need > limit:
                say = form.format
                return f"{say(spent)} of {say(limit)} are spent, and it may bring that to {say(need)} (resume with more {name})"
        return "nothing is left"


def counted(worst: Usage, usage: Usage) -> Usage:
    """Return what a limit counts of a call: what it cost, or its worst case where the server did not say."""
    tokens = usage if usage.tokens_in + usage.tokens_out else worst
    usd = worst.usd if usage.usd is None else usage.usd
    return Usage(usage.model, usage.calls, tokens.tokens_in, tokens.tokens_out, usd)
