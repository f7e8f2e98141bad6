"""Shows the progress of a run: a live table on a terminal or in a notebook, plain lines elsewhere, or JSON lines.

It lies here, below the command line and the API, because both show it.
"""

from __future__ import annotations

import io
import math
import os
import sys
import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Self

import click

from evolve.observer import Snapshot
from evolve.report import streams
from evolve.report.heartbeat import PHASE, Beating
from evolve.text import as_json, duration, one_line
from evolve.text import interval as ends
from fitness.nouns import Interval

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.table import Table

CELL, CELL_EVERY = 110, 0.3  # columns of a notebook's output, and seconds between its drawings
WIDTH = 160  # characters of an event that are shown; the archive keeps all
_QUIET = {"migration", "progress", PHASE}  # events that plain output leaves to the archive
_WHOLE = {"sandbox"}  # events that are never cut


def span(interval: Interval | None) -> str:
    """Return an interval as text."""
    if interval is None:
        return "–"
    if not math.isfinite(interval.low):
        return f"{interval.mean:.2f} {ends(None, None, interval.n)}".strip()
    return f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def clock(seconds: float | None) -> str:
    """Return a duration as text."""
    if seconds is None:
        return "?"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def bar(share: float, width: int, *, plain: bool = False) -> str:
    """Return a bar that is read without colour: what is done and what is not are different characters."""
    full = round(width * min(max(share, 0.0), 1.0))
    done, left = ("#", "-") if plain else ("█", "░")
    return done * full + left * (width - full)


def encodes_blocks() -> bool:
    """Tell whether standard output takes the characters of a bar."""
    try:
        "█░".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def redraws() -> bool:
    """Tell whether standard output is a screen that can be drawn again: a terminal, neither dumb nor a build server's log."""
    return (
        sys.stdout is not None
        and sys.stdout.isatty()
        and os.environ.get("TERM") not in ("dumb", "unknown")
        and not os.environ.get("CI")
    )


class Printing(Beating, ABC):
    """Prints where a run stands, every few seconds."""

    def beat(self) -> None:
        """Print where the run stands, where that is due."""
        if self._is_due():
            self._print()

    @abstractmethod
    def _print(self) -> None:
        """Print where the run stands."""


class Plain(Printing):
    """One line an event, and a progress line every few seconds."""

    def event(self, kind: str, text: str) -> None:
        """Print what happened."""
        with self._lock:
            if kind == PHASE:
                self._begin_phase(text)
            if kind not in _QUIET:
                self._told = time.monotonic()
                click.echo(one_line(text, 0 if kind in _WHOLE else WIDTH))

    def snapshot(self, now: Snapshot) -> None:
        """Take in where the run stands; print it when a phase begins, and every few seconds."""
        with self._lock:
            begins = now.phase != self._phase
            self._take(now)
            if begins:
                self._print()
            else:
                self.beat()

    def _print(self) -> None:
        self._told, now = time.monotonic(), self._now
        if now is None:
            click.echo(f"{self._phase}: {duration(time.monotonic() - self._began)}")
            return
        built, wanted = now.instances
        done = f"{now.done} of {now.of}" if now.of else f"{now.evaluations} of {now.budget} evaluations"
        best = f"best so far {now.best_name}, dev PGR {span(now.best)}" if now.best else "nothing bred yet"
        instances = [f"instances {built} of {wanted} built"] if built < wanted else []
        pace = [] if now.of else [f"{now.rate:.0f} a minute"]
        click.echo(f"{now.phase}: {', '.join([done, best, *pace, self._left(), *instances])}")


class Lines(Printing):
    """One JSON object a line."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, Any] = {}

    def event(self, kind: str, text: str) -> None:
        """Print what happened."""
        with self._lock:
            if kind == PHASE:
                self._begin_phase(text)
            self._told = time.monotonic()
            click.echo(as_json({"event": kind, "text": text}))

    def snapshot(self, now: Snapshot) -> None:
        """Print where the run stands, whenever something has been added, and every few seconds."""
        counted = {"phase": now.phase, "done": now.done, "evaluations": now.evaluations, "instances": now.instances}
        with self._lock:
            self._take(now)
            if counted != self._last:
                self._last = counted
                self._print()
            else:
                self.beat()

    def _print(self) -> None:
        self._told, now = time.monotonic(), self._now
        if now is None:
            click.echo(as_json({"event": PHASE, "text": self._phase}))
            return
        left = None if now.left is None else max(0.0, now.left - (self._told - self._since))
        click.echo(as_json({"snapshot": asdict(replace(now, left=left))}))


class NotebookCell:
    """A screen in a notebook: one output that is drawn again, and stays (rich's own there needs ipywidgets)."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(force_jupyter=False)
        self._drawn, self._handle, self._table = 0.0, None, ""

    def start(self) -> None:
        """Begin the output."""
        from IPython.display import HTML, display

        self._handle = display(HTML(""), display_id=True)

    def update(self, table: RenderableType) -> None:
        """Draw the table, a few times a second at most."""
        from rich.console import Console

        paper = Console(record=True, file=io.StringIO(), width=CELL, force_jupyter=False)
        paper.print(table)
        self._table = paper.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
        if time.monotonic() - self._drawn >= CELL_EVERY:
            self.stop()

    def stop(self) -> None:
        """Draw what came last."""
        from IPython.display import HTML

        self._drawn = time.monotonic()
        if self._handle is not None:
            self._handle.update(HTML(self._table))


class LiveTable(Beating):
    """Shows a table that redraws itself on a terminal."""

    def __init__(self, screen: Live | NotebookCell) -> None:
        super().__init__()
        self._events: deque[str] = deque(maxlen=6)
        self._screen, self._plain = screen, not encodes_blocks()

    def __enter__(self) -> Self:
        self._screen.start()
        return super().__enter__()

    def __exit__(self, *problem: object) -> None:
        """Leave the terminal as it was."""
        super().__exit__(*problem)
        self._screen.stop()

    def event(self, kind: str, text: str) -> None:
        """Add what happened to the last events; the best ones stay on the screen above."""
        with self._lock:
            if kind == PHASE:
                self._begin_phase(text)
                self.beat()
                return
            line = one_line(text, 0 if kind in _WHOLE else WIDTH)
            self._events.append(line)
            if kind in ("best", "reset", "finale", "barren", "lost", "model", "note", "sandbox"):
                self._screen.console.print(line, markup=False, highlight=False)

    def snapshot(self, now: Snapshot) -> None:
        """Redraw."""
        with self._lock:
            self._take(now)
            self.beat()

    def beat(self) -> None:
        """Redraw: the time that is left runs down by itself."""
        from rich.console import Group
        from rich.text import Text

        width = self._screen.console.width - 3
        tail = [Text(f"  {one_line(text, width)}", style="dim", no_wrap=True) for text in self._events]
        self._screen.update(Group(self._table(), *tail))

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table, now, width = Table.grid(padding=(0, 2)), self._now, self._screen.console.width
        seconds = duration(time.monotonic() - self._began)
        if now is None:
            table.add_row("now", Text(f"{self._phase}, {seconds}"))
            return table
        built, wanted = now.instances
        done, of = (now.done, now.of) if now.of else (now.evaluations, now.budget)
        counted = f", {done} of {of}" if now.of else ""
        table.add_row("now", Text(f"{now.phase}{counted}; {seconds} of it so far, {self._left()} in all"))
        table.add_row("", bar(done / max(of, 1), min(40, max(width - 20, 8)), plain=self._plain))
        table.add_row("evaluations", f"{now.evaluations} of {now.budget}   {now.rate:.0f} a minute")
        table.add_row("best so far", Text(f"{now.best_name}  dev PGR {span(now.best)}" if now.best else "nothing bred yet"))
        table.add_row("baselines", Text(_baselines(now)))
        if built < wanted:
            table.add_row("instances", f"{built} of {wanted} built")
        table.add_row("diversity", f"direction entropy {now.entropy:.2f} bits   {now.refused} proposals refused")
        if now.usd:
            table.add_row("spent", f"${now.usd:.4f}")
        return table


def _baselines(now: Snapshot) -> str:
    best = sorted(now.baselines.items(), key=lambda pair: -pair[1])[:4]
    return "  ".join(f"{name} {value:.2f}" for name, value in best) or "–"


def choose(as_json: bool = False) -> Plain | Lines | LiveTable:
    """Return what suits where the output goes."""
    streams.adapt()
    if as_json:
        return Lines()
    from rich.console import Console
    from rich.live import Live

    if Console().is_jupyter:
        return LiveTable(NotebookCell())
    return LiveTable(Live(refresh_per_second=4, transient=True)) if redraws() else Plain()
