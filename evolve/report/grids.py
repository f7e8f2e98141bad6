"""The grid as heat maps, and the champion's lineage as a picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from evolve.report.axes import Scale, picture, words_at
from evolve.report.maps import HeatMap, colour_step
from evolve.report.markup import Safe, join, tag
from evolve.report.pedigree import Ancestor, Pedigree
from evolve.report.wording import number

_MOST_NODES = 120


def heat_picture(heat: HeatMap, linked: Collection[str], *, large: bool) -> Safe:
    """Return one heat map; large ones carry values and edges, and link to the leaderboard."""
    wide, high = (min(max(720.0 / heat.x.bins, 36.0), 58.0), 40.0) if large else (312.0 / heat.x.bins, 15.0)
    left, below = (58.0, 46.0) if large else (4.0, 4.0)
    top = 6.0
    squares = {(square.x, square.y): square for square in heat.squares}
    parts: list[Safe] = []
    for y in range(heat.y.bins):
        for x in range(heat.x.bins):
            corner = left + x * wide, top + (heat.y.bins - 1 - y) * high
            square = squares.get((x, y))
            place = {"x": corner[0] + 1, "y": corner[1] + 1, "width": wide - 2, "height": high - 2, "rx": 3}
            if square is None:
                parts.append(tag("rect", **place, class_="cell empty"))
                continue
            span = f"{heat.x.title} {heat.x.span(x)}" + (f", {heat.y.title} {heat.y.span(y)}" if heat.y.name else "")
            title = tag("title", f"{square.label}: fitness {number(square.fitness)}, island {square.island}; {span}")
            colour = colour_step(square.fitness)
            cell = tag("rect", title, **place, class_=f"cell h{colour}")
            if large:
                value = words_at(
                    corner[0] + wide / 2, corner[1] + high / 2 + 5, number(square.fitness), f"value v{colour}", "middle"
                )
                cell = join(cell, value)
                cell = tag("a", cell, href=f"#m-{square.method[:12]}") if square.method in linked else cell
            parts.append(cell)
    if large:
        parts += _edges(heat, left, top, wide, high)
    best = max(heat.squares, key=lambda square: square.fitness, default=None)
    about = f"{heat.occupied} of {heat.cells} cells are occupied." + (
        f" The best is {best.label} with fitness {number(best.fitness)}." if best else ""
    )
    about = f"{about} {heat.note}".rstrip()
    name = f"grid-{'all' if heat.island is None else heat.island}"
    width, height = left + heat.x.bins * wide + (22 if large else 6), top + heat.y.bins * high + below
    return picture((width, height), heat.title, about, *parts, name=name, least=540.0 if large else 0.0)


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


def lineage_picture(tree: Pedigree, human: str) -> Safe:
    """Return the ancestry as a graph: generations from left to right, height is dev PGR, the line of first parents bold."""
    spine = tree.spine()
    numbers = {ancestor.method: len(spine) - place for place, ancestor in enumerate(spine)}
    shown = _shown(tree, numbers)
    generations = max((ancestor.generation for ancestor in shown.values()), default=0)
    scores = [ancestor.pgr for ancestor in shown.values() if ancestor.pgr is not None]
    width, height = max(1000.0, 130.0 + 74.0 * generations), 320.0
    y = Scale(min([0.9, *scores]) - 0.1, max([1.0, *scores]) + 0.04, height - 14, 12)
    x = Scale(0, max(generations, 1), 100, width - 30)
    spots = _spots(shown, x, y)
    parts: list[Safe] = [
        join(tag("line", x1=40, y1=y(tick), x2=width, y2=y(tick), class_="axis" if tick in (0.0, 1.0) else "grid"),
             words_at(34, y(tick) + 4, number(tick), "tick", "end"))
        for tick in y.ticks(6)
    ]  # fmt: skip
    parts += [_edge(shown[child], place, spots, numbers) for child in spots for place in range(len(shown[child].parents))]
    parts += [_node(ancestor, spots[method], numbers.get(method), human) for method, ancestor in shown.items()]
    about = f"{len(tree.ancestors)} ancestors over {generations} generations; the main line is in the table that follows."
    return picture((width, height), "Lineage of the best method", about, *parts, name="lineage")


def _shown(tree: Pedigree, numbers: Mapping[str, int]) -> dict[str, Ancestor]:
    """Return the ancestors to draw: all of them, or when they are many the main line with its members' other parents."""
    known = tree.by_id()
    if len(known) <= _MOST_NODES:
        return known
    near = {parent for method in numbers for parent in known[method].parents if parent in known}
    return {method: ancestor for method, ancestor in known.items() if method in numbers or method in near}


def _spots(shown: Mapping[str, Ancestor], x: Scale, y: Scale) -> dict[str, tuple[float, float]]:
    """Return where each ancestor is drawn; those of one generation that would overlap move aside."""
    taken: dict[int, list[tuple[float, float]]] = defaultdict(list)
    spots: dict[str, tuple[float, float]] = {}
    for method, ancestor in shown.items():
        height, aside = y.inside(0.0 if ancestor.pgr is None else ancestor.pgr), 0.0
        while any(abs(height - other) < 20 and abs(aside - shift) < 18 for other, shift in taken[ancestor.generation]):
            aside += 20.0
        taken[ancestor.generation].append((height, aside))
        spots[method] = (x(ancestor.generation) - aside, height)
    return spots


def _edge(child: Ancestor, place: int, spots: Mapping[str, tuple[float, float]], numbers: Mapping[str, int]) -> Safe:
    parent = child.parents[place]
    if parent not in spots:
        return Safe()
    (x1, y1), (x2, y2) = spots[parent], spots[child.method]
    bend = max((x2 - x1) / 2, 16)
    main = place == 0 and child.method in numbers and parent in numbers
    gain = f", gain {number(child.gains[place], sign=True)}"
    return tag(
        "path", tag("title", f"{child.operator}: {child.direction}{gain}"),
        d=f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}",
        class_="edge main" if main else "edge",
    )  # fmt: skip


def _node(ancestor: Ancestor, spot: tuple[float, float], place: int | None, human: str) -> Safe:
    seed = not ancestor.parents
    class_ = ("human" if ancestor.method == human else "seed") if seed else ("champion" if place else "bred")
    title = tag("title", f"{ancestor.label}: dev PGR {number(ancestor.pgr)}")
    circle = tag("circle", title, cx=spot[0], cy=spot[1], r=10 if place else 5, class_=f"{class_} node")
    inside = words_at(spot[0], spot[1] + 4, str(place), "count", "middle") if place else Safe()
    name = words_at(spot[0] - 14, spot[1] + 4, ancestor.label, "tick", "end") if seed else Safe()
    return join(circle, inside, name)
