"""Shows that work goes on: whatever a program is busy with, its display is never silent for long."""

from __future__ import annotations

import threading
import time
from typing import Self

import click

from evolve.observer import Snapshot
from evolve.text import duration

PHASE = "phase"  # the event that says what a session is busy with before its search can
BEAT = 0.5  # seconds between looks whether something is to be said again
QUIET, QUIET_SHARE, LONGEST = 4.0, 0.01, 60.0  # seconds without a word, at most; or this share of a phase's time, at most


def pause(seconds: float) -> float:
    """Return how long a display may say nothing about work that has gone on for some seconds."""
    return min(max(QUIET, QUIET_SHARE * seconds), LONGEST)


class Beating:
    """Shows progress, and that it goes on: while nothing else happens, a thread calls `beat` twice a second.

    Whatever the program is busy with, a display is not silent for longer than `pause` allows.
    """

    def __init__(self) -> None:
        self._phase = "starting"
        self._now: Snapshot | None = None
        self._began = self._since = self._told = time.monotonic()
        self._lock, self._over = threading.RLock(), threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._beat, name="progress", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread."""
        with self._lock:
            self._over.set()

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            with self._lock:
                if not self._over.is_set():
                    self.beat()

    def beat(self) -> None:
        """Show that the work goes on."""

    def _is_due(self) -> bool:
        """Tell whether something is to be said again."""
        now = time.monotonic()
        if now - self._told < pause(now - self._began):
            return False
        self._told = now
        return True

    def _enter_phase(self, phase: str) -> None:
        """Begin a phase, in which something is said often again."""
        if phase != self._phase:
            self._phase, self._began = phase, time.monotonic()

    def _begin_phase(self, phase: str) -> None:
        """Begin a phase of which no snapshot tells anything."""
        self._now = None
        self._enter_phase(phase)

    def _take(self, now: Snapshot) -> None:
        self._enter_phase(now.phase)
        self._now, self._since = now, time.monotonic()

    def _left(self) -> str:
        """Return the time that is left, counted down since the last snapshot."""
        if self._now is None or self._now.left is None:
            return "time left not known yet"
        left = self._now.left - (time.monotonic() - self._since)
        return f"about {duration(left)} left" if left >= 1 else "nearly done"


class Waiting(Beating):
    """Shows on standard error what a verb is busy with while it prints nothing itself, and for how long."""

    def __init__(self, work: str, *, quiet: bool = False) -> None:
        super().__init__()
        self._phase, self._quiet = work, quiet

    def at(self, work: str) -> None:
        """Take in how far the work is; the next line says so."""
        self._phase = work

    def say(self, text: str) -> None:
        """Print which work begins."""
        with self._lock:
            self._told = self._began = time.monotonic()
            self._phase = text
            if not self._quiet:
                click.echo(text, err=True)

    def beat(self) -> None:
        """Print how long it has taken, every few seconds."""
        if not self._quiet and self._is_due():
            click.echo(f"{self._phase}: {duration(time.monotonic() - self._began)} so far", err=True)
