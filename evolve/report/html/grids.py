"""Draws the grid as heat maps, and writes it as a table."""

from __future__ import annotations

from collections.abc import Sequence

from evolve.queries.heat_maps import HeatMap, Square, colour_step
from evolve.report.html.axes import picture, words_at
from evolve.report.html.markup import Safe, join, tag
from evolve.report.html.parts import Column, anchor, as_table, link
from evolve.text import number

STEPS = 8  # colours from PGR 0 to 1


def heat_picture(heat: HeatMap, *, large: bool) -> Safe:
    """Return one heat map whose cells open the elite's page; large ones carry values and edges."""
    wide, high = (min(max(720.0 / heat.x.bins, 36.0), 58.0), 40.0) if large else (300.0 / heat.x.bins, 17.0)
    left, below, top = (58.0, 46.0, 6.0) if large else (4.0, 4.0, 4.0)
    squares = {(square.x, square.y): square for square in heat.squares}
    parts: list[Safe] = []
    for y in reversed(range(heat.y.bins)):
        for x in range(heat.x.bins):
            corner = left + x * wide, top + (heat.y.bins - 1 - y) * high
            place = {"x": corner[0] + 1, "y": corner[1] + 1, "width": wide - 2, "height": high - 2, "rx": 3}
            square = squares.get((x, y))
            span = f"{heat.x.title} {heat.x.span(x)}" + (f"; {heat.y.title} {heat.y.span(y)}" if heat.y.name else "")
            if square is None:
                parts.append(tag("rect", tag("title", f"empty: {span}") if large else Safe(), **place, class_="cell empty"))
                continue
            colour = colour_step(square.fitness)
            cell = tag("rect", **place, class_=f"cell h{colour}")
            if large:
                middle = corner[0] + wide / 2, corner[1] + high / 2 + 5
                cell = join(cell, words_at(*middle, number(square.fitness), f"value v{colour}", "middle"))
            parts.append(_cell(square, cell, span))
    if large:
        parts += _edges(heat, left, top, wide, high)
    best = max(heat.squares, key=lambda square: square.fitness, default=None)
    about = f"{heat.occupied} of {heat.cells} cells are occupied." + (
        f" The best is {best.label} with fitness {number(best.fitness)}. Arrow keys move between occupied cells."
        if best
        else ""
    )
    about = f"{about} {heat.note}".rstrip()
    name = f"grid-{'all' if heat.island is None else heat.island}"
    size = left + heat.x.bins * wide + (22 if large else 6), top + heat.y.bins * high + below
    return picture(size, heat.title, about, *parts, name=name, least=720.0 if large else 0.0, links=bool(heat.squares))


def _cell(square: Square, inside: Safe, span: str) -> Safe:
    title = f"{square.label}: fitness {number(square.fitness)}; island {square.island}; {span}"
    return tag(
        "a", tag("title", title), inside, href=f"#{anchor(square.method)}", aria_label=title,
        data_x=square.x, data_y=square.y, class_="heat",
    )  # fmt: skip


def heat_legend() -> Safe:
    """Return the colours with the fitness they begin at."""
    names = ["< 0", *(number(low / STEPS) for low in range(STEPS))]
    items = (tag("li", tag("span", name), class_=f"h{index}") for index, name in enumerate(names))
    return tag("ul", *items, class_="scale", aria_label="Colours, by the fitness where each begins")


def heat_table(maps: Sequence[HeatMap]) -> Safe:
    """Return the occupied cells as a table."""
    shown = maps[1:] or maps[:1]
    x, y = maps[0].x, maps[0].y
    columns = [
        Column("Island", "n"), Column(x.title, "n"), *([Column(y.title, "n")] if y.name else []), Column("Elite"),
        Column("Fitness", "n"),
    ]  # fmt: skip
    rows = [
        [str(s.island), x.span(s.x), *([y.span(s.y)] if y.name else []), link(s.method, s.label), number(s.fitness)]
        for heat in shown
        for s in sorted(heat.squares, key=lambda square: -square.fitness)
    ]
    return as_table("The elites of each island, the fittest first", columns, rows)


def _edges(heat: HeatMap, left: float, top: float, wide: float, high: float) -> list[Safe]:
    bottom = top + heat.y.bins * high
    every = 1 if wide >= 48 else 2
    shown = list(enumerate(heat.x.edges))[::every]
    parts = [words_at(left + x * wide, bottom + 16, f"{edge:.3g}", "tick", "middle") for x, edge in shown]
    parts.append(words_at(left + heat.x.bins * wide / 2, bottom + 36, heat.x.title, "name", "middle"))
    if heat.y.name:
        parts += [
            words_at(left - 8, bottom - y * high + 4, f"{edge:.3g}", "tick", "end") for y, edge in enumerate(heat.y.edges)
        ]
        middle = top + heat.y.bins * high / 2
        parts.append(
            tag("text", heat.y.title, class_="name", text_anchor="middle", transform=f"translate(12 {middle:.0f}) rotate(-90)")
        )
    return parts
