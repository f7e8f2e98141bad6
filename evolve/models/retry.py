"""Retries calls for all providers: full jitter, the waits that servers ask for, and a gate per endpoint that all threads share.

Full jitter: each pause is drawn from [0, first * 2^attempt] (Brooker 2015, "Exponential Backoff And Jitter").
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from evolve.errors import ModelError

T = TypeVar("T")

PASSING = frozenset({408, 409, 429})  # HTTP statuses that may pass, beside all of 500 and above


@dataclass(frozen=True)
class Patience:
    """How often and how long to try.

    Attributes:
        attempts: calls in all, the first one included.
        first: seconds; upper edge of the first pause, doubled each time.
        busy: seconds; upper edge of the first pause after "too many calls" without a word on how long, or with one that did
            not help; at least half of it is waited, so that six attempts outlast a limit by the minute.
        longest: seconds; no drawn pause is longer.
        retry_after: seconds; the longest wait a server may ask for; beyond it the call fails at once.
    """

    attempts: int = 6
    first: float = 1.0
    busy: float = 5.0
    longest: float = 60.0
    retry_after: float = 300.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, got {self.attempts}")


@dataclass(frozen=True)
class Clock:
    """The time, and how to let it pass; tests bring their own.

    Attributes:
        now: returns seconds that never go back.
        sleep: waits for so many seconds; what it returns is true when the caller should give up, as with `Event.wait`.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


class Passing(Exception):
    """A failure that a later call may not meet: busy, restarting, unreachable.

    Attributes:
        busy: the server said that it has too many calls, so every thread should hold back.
        retry_after: seconds the server asked to wait, or None.
    """

    def __init__(self, sentence: str, *, busy: bool = False, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.busy, self.retry_after = busy, retry_after


class Gate:
    """The moment before which nobody calls an endpoint. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._not_before = -math.inf

    def close_until(self, moment: float) -> None:
        """Keep the gate closed until a moment; never opens it earlier than someone else asked."""
        with self._lock:
            self._not_before = max(self._not_before, moment)

    def wait(self, now: float) -> float:
        """Return the seconds until it opens, 0 when it is open."""
        with self._lock:
            return max(0.0, self._not_before - now)


_gates: dict[str, Gate] = {}
_gates_lock = threading.Lock()


def gate_of(endpoint: str) -> Gate:
    """Return the process's one gate of an endpoint, so that two models of one server hold back together."""
    with _gates_lock:
        return _gates.setdefault(endpoint, Gate())


class Retrier:
    """Calls an endpoint until it answers, patience ends, or the failure is one that stays."""

    def __init__(self, endpoint: str, patience: Patience, rng: random.Random, clock: Clock, gate: Gate | None = None) -> None:
        self._endpoint, self._patience, self._rng, self._clock = endpoint, patience, rng, clock
        self._gate = gate or gate_of(endpoint)

    def call(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns. Raises ModelError when it raised Passing too often; other errors go through."""
        for number in range(1, self._patience.attempts + 1):
            self._pass_gate()
            try:
                return attempt()
            except Passing as failure:
                sentence = f"{failure} (tried {number} times)" if number > 1 else str(failure)
                self._hold_back(failure, number)
        raise ModelError(sentence)

    def _pass_gate(self) -> None:
        while (wait := self._gate.wait(self._clock.now())) > 0:
            if wait > self._patience.retry_after:
                raise ModelError(
                    f"{self._endpoint} asks not to be called for another {wait:.0f} s, longer than the "
                    f"{self._patience.retry_after:.0f} s this program waits: its quota may be used up"
                )
            self._sleep(wait + self._rng.uniform(0, self._patience.first))  # the jitter spreads those who waited together

    def _hold_back(self, failure: Passing, number: int) -> None:
        # a wait that was kept and did not help explains nothing: some servers always say 0, or a few milliseconds
        unexplained = failure.busy and (failure.retry_after is None or number > 1)
        first = self._patience.busy if unexplained else self._patience.first
        edge = min(self._patience.longest, first * 2 ** (number - 1))
        pause = self._rng.uniform(edge / 2 if unexplained else 0, edge)
        if failure.busy or failure.retry_after is not None:
            self._gate.close_until(self._clock.now() + max(pause, failure.retry_after or 0.0))
        elif number < self._patience.attempts:
            self._sleep(pause)

    def _sleep(self, seconds: float) -> None:
        if self._clock.sleep(seconds):
            raise ModelError(f"stopped while waiting for {self._endpoint}")
