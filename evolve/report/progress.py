"""Shows the progress of a run: a live table on a terminal or in a notebook, plain lines elsewhere, or JSON lines.

It lies here, below the command line and the API, because both show it.
"""

from __future__ import annotations

import io
import sys
import time
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from evolve.observer import Snapshot
from evolve.report import streams
from evolve.text import as_json, one_line
from fitness.nouns import Interval

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

PLAIN_EVERY = 10.0  # seconds between plain progress lines
CELL, CELL_EVERY = 110, 0.3  # columns of a notebook's output, and seconds between its drawings
WIDTH = 160  # characters of an event that are shown; the archive keeps all
_QUIET = {"migration", "progress"}  # events that plain output leaves to the archive
_WHOLE = {"sandbox"}  # events that are never cut


def span(interval: Interval | None) -> str:
    """Return an interval as text."""
    return "–" if interval is None else f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def clock(seconds: float | None) -> str:
    """Return a duration as text."""
    if seconds is None:
        return "?"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


class Plain:
    """One line an event, and a progress line every few seconds."""

    def __init__(self) -> None:
        self._last = 0.0

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""

    def event(self, kind: str, text: str) -> None:
        """Print what happened."""
        if kind not in _QUIET:
            click.echo(one_line(text, 0 if kind in _WHOLE else WIDTH))

    def snapshot(self, now: Snapshot) -> None:
        """Print where the run stands, now and then."""
        if time.monotonic() - self._last < PLAIN_EVERY:
            return
        self._last = time.monotonic()
        built, wanted = now.instances
        best = f"best dev PGR {span(now.best)} ({now.best_name})" if now.best else "no score yet"
        instances = f", instances {built}/{wanted}" if built < wanted else ""
        pace = f", {now.rate:.0f} a minute, {clock(now.left)} left" if now.rate else ""
        done = f"{now.evaluations}/{now.budget} evaluations, " if now.evaluations else ""
        click.echo(f"{now.phase}: {done}{best}{pace}{instances}")


class Lines:
    """One JSON object a line."""

    def __init__(self) -> None:
        self._last: dict[str, Any] = {}

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""

    def event(self, kind: str, text: str) -> None:
        """Print what happened."""
        click.echo(as_json({"event": kind, "text": text}))

    def snapshot(self, now: Snapshot) -> None:
        """Print where the run stands, whenever an evaluation has been added."""
        counted = {"phase": now.phase, "evaluations": now.evaluations, "instances": now.instances}
        if counted != self._last:
            self._last = counted
            click.echo(as_json({"snapshot": asdict(now)}))


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


class LiveTable:
    """Shows a table that redraws itself on a terminal."""

    def __init__(self, screen: Live | NotebookCell) -> None:
        self._events: deque[str] = deque(maxlen=6)
        self._screen = screen

    def __enter__(self) -> LiveTable:
        self._screen.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        self._screen.stop()

    def event(self, kind: str, text: str) -> None:
        """Add what happened to the last events; the best ones stay on the screen above."""
        line = one_line(text, 0 if kind in _WHOLE else WIDTH)
        self._events.append(line)
        if kind in ("best", "reset", "finale", "barren", "lost", "model", "note", "sandbox"):
            self._screen.console.print(line, markup=False, highlight=False)

    def snapshot(self, now: Snapshot) -> None:
        """Redraw."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        built, wanted = now.instances
        table.add_row("now", Text(now.phase))
        table.add_row("evaluations", f"{now.evaluations} of {now.budget}   {now.rate:.0f} a minute   {clock(now.left)} left")
        table.add_row("", ProgressBar(total=now.budget, completed=now.evaluations, width=40))
        table.add_row("best dev PGR", Text(f"{span(now.best)}  {now.best_name}", style="bold green"))
        table.add_row("baselines", Text(_baselines(now)))
        if built < wanted:
            table.add_row("instances", f"{built} of {wanted} built")
        table.add_row("diversity", f"direction entropy {now.entropy:.2f} bits   {now.refused} proposals refused")
        if now.usd:
            table.add_row("spent", f"${now.usd:.4f}")
        tail = [Text(f"  {text}", style="dim", overflow="ellipsis", no_wrap=True) for text in self._events]
        self._screen.update(Group(table, *tail))


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
    return LiveTable(Live(refresh_per_second=4, transient=True)) if sys.stdout is not None and sys.stdout.isatty() else Plain()
