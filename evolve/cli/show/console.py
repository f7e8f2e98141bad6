"""Prints tables, source and heat maps that fit 80 columns, without colour where the output is no terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.style import Style
from rich.text import Text

from evolve.text import NONE, clean, number, one_line

if TYPE_CHECKING:
    from evolve.queries.heat_maps import HeatMap

# Nine steps of fitness, from below 0 (grey) over blue-green to yellow: background colours that keep dark text readable.
STEPS = ("#8a8f98", "#6f86b5", "#5f9ac0", "#56adc0", "#5bbdb0", "#74c998", "#9cd37c", "#cbdb63", "#f3e04f")

_GAP = "  "  # between two columns
_LEAST = 8  # columns that a flexible column keeps


def console() -> Console:
    """Return a console on standard output as it is now; plain text when that is not a terminal, or NO_COLOR is set."""
    plain = False if os.environ.get("NO_COLOR") else None
    return Console(file=sys.stdout, force_terminal=plain, highlight=False, markup=False, emoji=False, soft_wrap=True)


def on_terminal() -> bool:
    """Tell whether standard output is a terminal that wants colour."""
    screen = console()
    return screen.is_terminal and not screen.no_color


def say(text: str = "", style: str = "") -> None:
    """Print untrusted text, cleaned."""
    console().print(Text(clean(text), style=style))


def fit(text: str, width: int) -> str:
    """Return untrusted text on one line of at most `width` columns, of which a wide character takes two."""
    line = one_line(text)
    return line if cell_len(line) <= width else set_cell_size(line, width - 1).rstrip() + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with blanks up to `width` columns, before it when it stands on the right."""
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks


def fold(text: str, width: int) -> list[str]:
    """Return untrusted text as lines of at most `width` columns."""
    line = one_line(text)
    if cell_len(line) == len(line):
        return wrap(line, width)
    return [part.plain.rstrip() for part in Text(line).wrap(console(), width)]


def paragraph(text: str, style: str = "", margin: str = "") -> None:
    """Print a sentence or two, folded to the screen."""
    for line in fold(text, console().width - 1 - len(margin)):
        say(margin + line, style)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], flexible: int, right: Sequence[int] = ()) -> None:
    """Print a table of untrusted texts; the `flexible` column gives way when the screen is too narrow."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[index]) for row in [list(headers), *cells]) for index in range(len(headers))]
    spare = console().width - sum(widths) - len(_GAP) * (len(widths) - 1)
    given = min(max(-spare, 0), max(widths[flexible] - _LEAST, 0))
    widths[flexible] -= given
    for _ in range(-spare - given):  # names of a stranger's choosing may be long in every column
        widest = widths.index(max(widths))
        widths[widest] -= widths[widest] > _LEAST
    for place, row in enumerate([list(headers), *cells]):
        parts = [pad(fit(cell, width), width, right=index in right) for index, (cell, width) in enumerate(zip(row, widths))]
        say(_GAP.join(parts).rstrip(), "bold" if place == 0 else "")


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Print names with their values, long values folded under themselves."""
    margin = max(len(name) for name, _ in rows) + len(_GAP)
    for name, value in rows:
        lines = fold(value, max(console().width - margin, 40)) or [""]
        line = Text(name.ljust(margin), style="dim")
        line.append(lines[0], style="not dim")
        console().print(line)
        for more in lines[1:]:
            say(" " * margin + more)


def source(text: str) -> None:
    """Print Python source, coloured on a terminal, unchanged but for control characters elsewhere."""
    if not on_terminal():
        click.echo(clean(text).rstrip("\n"))
        return
    from rich.syntax import Syntax

    console().print(Syntax(clean(text), "python", theme="ansi_dark", line_numbers=True, word_wrap=True), soft_wrap=False)


def diff(lines: Sequence[str]) -> None:
    """Print the lines of a unified diff, coloured on a terminal."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    coloured = on_terminal()
    for line in lines:
        head = line.startswith(("+++", "---"))
        colour = None if head or not coloured else colours.get(line[:1])
        click.echo(click.style(line, fg=colour, bold=head) if coloured else line, color=coloured)


def heat_map(heat: HeatMap) -> None:
    """Print a grid with the fitness of each elite; empty cells are dots, cells as wide as the screen allows."""
    from evolve.queries.heat_maps import colour_step

    squares = {(square.x, square.y): square for square in heat.squares}
    labels = [f"{heat.y.edges[y]:.4g}" if heat.y.name else "" for y in range(heat.y.bins)]
    margin = max(len(label) for label in labels) + 2
    wide = min(max((console().width - margin - 1) // heat.x.bins, 4), 6)
    say(f"{heat.title}: {heat.occupied} of {heat.cells} cells", "bold")
    if heat.y.name:
        say(f"{heat.y.title}, from", "dim")
    for y in reversed(range(heat.y.bins)):
        line = Text(labels[y].rjust(margin - 1) + " ")
        for x in range(heat.x.bins):
            square = squares.get((x, y))
            if square is None:
                line.append("·".rjust(wide // 2 + 1).ljust(wide), style="dim")
            else:
                value = number(square.fitness).rjust(4).center(wide)
                line.append(value, style=Style(color="#111111", bgcolor=STEPS[colour_step(square.fitness)]))
        line.rstrip()
        console().print(line)
    every = -(-6 // wide)
    edges = "".join(f"{heat.x.edges[x]:<{wide * every}.3g}" for x in range(0, heat.x.bins, every))
    say(" " * margin + edges.rstrip(), "dim")
    say(" " * margin + f"{heat.x.title}, from", "dim")
    if heat.note:
        paragraph(heat.note)


def legend() -> None:
    """Print what the numbers and colours of a heat map mean."""
    say("Each cell: its elite's fitness, a lower confidence bound on PGR; · is empty.")
    if on_terminal():
        line = Text()
        for index, colour in enumerate(STEPS):
            name = "below 0" if index == 0 else number((index - 1) / 8)
            line.append(f" {name} ", style=Style(color="#111111", bgcolor=colour))
        console().print(line)


def dash(text: str) -> str:
    """Return a text, or a dash when it is empty."""
    return text or NONE
