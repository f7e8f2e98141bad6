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

from evolve.text import NONE, clean, ended, number, one_line

if TYPE_CHECKING:
    from evolve.queries.heat_maps import HeatMap

# Nine steps of fitness, from below 0 (grey) over blue-green to yellow: background colours that keep dark text readable.
STEPS = ("#8a8f98", "#6f86b5", "#5f9ac0", "#56adc0", "#5bbdb0", "#74c998", "#9cd37c", "#cbdb63", "#f3e04f")

_GAP = "  "  # between two columns
_LEAST = 8  # columns that a column of words keeps
_READABLE = 34  # columns that a value needs beside its name


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
    return line if cell_len(line) <= width else ended(line, set_cell_size(line, max(width - 1, 0)))


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


def heading(text: str) -> None:
    """Print a line in bold, folded when the screen is too narrow for it."""
    if cell_len(text) < console().width:
        say(text, "bold")
    else:
        paragraph(text, "bold")


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    words: Sequence[int],
    right: Sequence[int] = (),
    optional: Sequence[int] = (),
    width: int = 0,
) -> None:
    """Print a table of untrusted texts that never cuts a number, however narrow the screen is.

    Args:
        words: the columns that may be shortened, the first of them first; all others are printed whole.
        right: the columns that stand on the right.
        optional: the columns that are left out when that is not enough, the first of them first; the last line names them.
        width: columns of the screen, where it is not the console's. What does not fit then is printed a row under the other.
    """
    cells = [[one_line(cell) for cell in row] for row in (headers, *rows)]
    screen, left_out = width or console().width, list[int]()
    columns = [index for index in range(len(headers)) if any(row[index] for row in cells)]
    while (widths := _widths(cells, columns, words, screen)) is None and len(left_out) < len(optional):
        left_out.append(optional[len(left_out)])
        columns = [index for index in columns if index not in left_out]
    if widths is None:
        _stack(cells, screen)
        return
    for place, row in enumerate(cells):
        parts = [pad(fit(row[index], widths[index]), widths[index], right=index in right) for index in columns]
        say(_GAP.join(parts).rstrip(), "bold" if place == 0 else "")
    if left_out:
        paragraph(f"left out on this narrow screen: {', '.join(headers[index] for index in left_out)}", "dim")


def _widths(cells: Sequence[Sequence[str]], columns: Sequence[int], words: Sequence[int], screen: int) -> dict[int, int] | None:
    """Return how wide each column is printed; None when they do not fit even with short words."""
    widths = {index: max(cell_len(row[index]) for row in cells) for index in columns}
    over = sum(widths.values()) + len(_GAP) * (len(columns) - 1) - screen
    for index in [*words[:1], *sorted(words[1:], key=lambda word: -widths.get(word, 0))]:
        given = min(max(over, 0), max(widths.get(index, 0) - _LEAST, 0))
        over -= given
        if given:
            widths[index] -= given
    return None if over > 0 else widths


def _stack(cells: Sequence[Sequence[str]], screen: int) -> None:
    """Print each row as lines of its own: what stands first as a heading, the rest with the names of their columns."""
    headers, *rows = cells
    for row in rows:
        first = next((index for index, cell in enumerate(row) if cell), 0)
        for line in fold(" ".join(filter(None, [headers[first] if row[first].isdigit() else "", row[first]])), screen):
            say(line, "bold")
        for name, cell in list(zip(headers, row))[first + 1 :]:
            if cell:
                for place, line in enumerate(fold(f"{name} {cell}".strip(), max(screen - 4, 8))):
                    say(("    " if place else "  ") + line)


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Print names with their values, long values folded beside their names, on a narrow screen under them."""
    margin = max(len(name) for name, _ in rows) + len(_GAP)
    narrow = console().width - margin < _READABLE
    for name, value in rows:
        if narrow:
            margin = len(_GAP)
            say(name, "dim")
        lines = fold(value, console().width - margin) or [""]
        first = Text(" " * margin if narrow else name.ljust(margin), style="dim")
        console().print(first.append(lines[0], style="not dim"))
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
    labels = [f"{heat.y.edges[y]:.4g}" if heat.y.name else "" for y in range(heat.y.bins)]
    margin = max(len(label) for label in labels) + 2
    room = console().width - margin - 1
    wide = min(max(room // heat.x.bins, 4), 6)
    say(f"{heat.title}: {heat.occupied} of {heat.cells} cells", "bold")
    if heat.y.name:
        say(f"{heat.y.title}, from", "dim")
    most = max(room // wide, 1)  # columns of cells side by side; on a narrow screen the others follow below
    for first in range(0, heat.x.bins, most):
        _cells(heat, labels, range(first, min(first + most, heat.x.bins)), wide)
    say(" " * margin + f"{heat.x.title}, from", "dim")
    if heat.note:
        paragraph(heat.note)


def _cells(heat: HeatMap, labels: Sequence[str], columns: range, wide: int) -> None:
    """Print some columns of a grid, and where they begin."""
    from evolve.queries.heat_maps import colour_step

    squares = {(square.x, square.y): square for square in heat.squares}
    margin = max(len(label) for label in labels) + 2
    for y in reversed(range(heat.y.bins)):
        line = Text(labels[y].rjust(margin - 1) + " ")
        for x in columns:
            square = squares.get((x, y))
            if square is None:
                line.append("·".rjust(wide // 2 + 1).ljust(wide), style="dim")
            else:
                value = number(square.fitness).rjust(4).center(wide)
                line.append(value, style=Style(color="#111111", bgcolor=STEPS[colour_step(square.fitness)]))
        line.rstrip()
        console().print(line)
    every = -(-6 // wide)
    edges = "".join(f"{heat.x.edges[x]:<{wide * every}.3g}" for x in columns[::every])
    say(" " * margin + edges.rstrip(), "dim")


def legend() -> None:
    """Print what the numbers and colours of a heat map mean."""
    paragraph("Each cell: its elite's fitness, a lower confidence bound on PGR; · is empty.")
    if on_terminal():
        line = Text()
        for index, colour in enumerate(STEPS):
            name = "below 0" if index == 0 else number((index - 1) / 8)
            line.append(f" {name} ", style=Style(color="#111111", bgcolor=colour))
        console().print(line)


def dash(text: str) -> str:
    """Return a text, or a dash when it is empty."""
    return text or NONE
