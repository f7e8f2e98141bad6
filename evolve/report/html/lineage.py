"""Draws the champion's lineage, from the seed to the best."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from evolve.queries.lineage import Ancestor, Lineage
from evolve.report.html.axes import Scale, picture, spaced, words_at
from evolve.report.html.markup import Safe, join, tag
from evolve.report.html.parts import anchor
from evolve.text import number, one_line

_MOST_NODES = 120


def lineage_picture(tree: Lineage, human: str) -> Safe:
    """Return the ancestry as a graph: generations from left to right, height is dev PGR, the line of first parents bold."""
    spine = tree.spine()
    numbers = {ancestor.method: len(spine) - place for place, ancestor in enumerate(spine)}
    shown = _shown(tree, numbers)
    generations = max((ancestor.generation for ancestor in shown.values()), default=0)
    scores = [ancestor.pgr for ancestor in shown.values() if ancestor.pgr is not None]
    width, height = max(1000.0, 204.0 + 62.0 * generations), 340.0
    y = Scale(min([0.9, *scores]) - 0.1, max([1.0, *scores]) + 0.06, height - 14, 14)
    x = Scale(0, max(generations, 1), 170, width - 34)
    spots = _spots(shown, x, y)
    parts: list[Safe] = [
        join(tag("line", x1=40, y1=y(tick), x2=width, y2=y(tick), class_="axis" if tick in (0.0, 1.0) else "grid"),
             words_at(34, y(tick) + 4, number(tick), "tick", "end"))
        for tick in y.ticks(6)
    ]  # fmt: skip
    edges = [(shown[child], place) for child in spots for place in range(len(shown[child].parents))]
    parts += [_edge(child, place, spots, _main(child, place, numbers)) for child, place in edges]
    parts += [_gain(child, place, spots) for child, place in edges if _main(child, place, numbers)]
    seeds = sorted((method for method, ancestor in shown.items() if not ancestor.parents), key=lambda seed: seed not in numbers)
    fits = dict(zip(seeds, spaced([spots[seed][1] for seed in seeds], 14.0)))
    parts += [
        _node(ancestor, spots[method], numbers.get(method), human, named=fits.get(method, False))
        for method, ancestor in shown.items()
    ]
    about = f"{len(tree.ancestors)} ancestors over {generations} generations; the main line is in the table that follows."
    return picture((width, height), "Lineage of the best method", about, *parts, name="lineage", least=860.0, links=True)


def _shown(tree: Lineage, numbers: Mapping[str, int]) -> dict[str, Ancestor]:
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


def _main(child: Ancestor, place: int, numbers: Mapping[str, int]) -> bool:
    """Tell whether an edge lies on the line of first parents."""
    return place == 0 and child.method in numbers and child.parents[0] in numbers


def _edge(child: Ancestor, place: int, spots: Mapping[str, tuple[float, float]], main: bool) -> Safe:
    parent = child.parents[place]
    if parent not in spots:
        return Safe()
    (x1, y1), (x2, y2) = spots[parent], spots[child.method]
    bend = max((x2 - x1) / 2, 16)
    return tag(
        "path", tag("title", f"{child.operator}: {child.direction}, gain {number(child.gains[place], sign=True)}"),
        d=f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}",
        class_="edge main" if main else "edge",
    )  # fmt: skip


def _gain(child: Ancestor, place: int, spots: Mapping[str, tuple[float, float]]) -> Safe:
    """Return the gain of an edge, written above its middle where there is room."""
    if child.parents[place] not in spots:
        return Safe()
    (x1, y1), (x2, y2) = spots[child.parents[place]], spots[child.method]
    if x2 - x1 < 48:
        return Safe()
    return words_at((x1 + x2) / 2, (y1 + y2) / 2 - 8, number(child.gains[place], sign=True), "gain", "middle")


def _node(ancestor: Ancestor, spot: tuple[float, float], place: int | None, human: str, *, named: bool) -> Safe:
    seed = not ancestor.parents
    class_ = ("human" if ancestor.method == human else "seed") if seed else ("champion" if place else "bred")
    title = f"{ancestor.label}: dev PGR {number(ancestor.pgr)}" + (f", {ancestor.operator}" if ancestor.operator else "")
    circle = tag("circle", cx=spot[0], cy=spot[1], r=10 if place else 5, class_=f"{class_} node")
    inside = words_at(spot[0], spot[1] + 4, str(place), "count", "middle") if place else Safe()
    name = words_at(spot[0] - 15, spot[1] + 4, one_line(ancestor.label, 14), "tick", "end") if named else Safe()
    opened = tag("a", tag("title", title), circle, inside, href=f"#{anchor(ancestor.method)}", aria_label=title)
    return join(opened, name)
