"""Draws what the charts share: scales, ticks and labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evolve.report.html.markup import Safe, join, tag

_WIDEST = 1104  # pixels of the page's column


@dataclass(frozen=True)
class Scale:
    """A linear map from data to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        span = self.high - self.low or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)

    def inside(self, value: float) -> float:
        """Return the pixel of a value, held at the ends of the scale."""
        return self(min(max(value, self.low), self.high))

    def counts(self, wanted: int) -> list[int]:
        """Return about `wanted` whole numbers on the scale."""
        return [round(tick) for tick in self.ticks(wanted) if tick == round(tick)]

    def ticks(self, wanted: int) -> list[float]:
        """Return about `wanted` round values on the scale."""
        raw = (self.high - self.low or 1.0) / max(wanted, 1)
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.75)
        first = math.ceil(self.low / step - 1e-9)
        return [round(index * step, 10) for index in range(first, math.floor(self.high / step + 1e-9) + 1)]


def picture(
    size: tuple[float, float], title: str, about: str, *parts: Safe, name: str, least: float = 600.0, links: bool = False
) -> Safe:
    """Return an SVG picture with a title and a description for those who cannot see it; `links`: parts of it can be opened.

    On screens narrower than `least` pixels (0, 300, 600, 720 or 860) it scrolls in its frame; one wider than the page always.
    """
    width, height = size
    svg = tag(
        "svg",
        tag("title", title, id=f"{name}-t"),
        tag("desc", about, id=f"{name}-d"),
        *parts,
        viewbox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        class_="whole" if width > _WIDEST else f"least{least:.0f}",
        role="group" if links else "img",
        aria_labelledby=f"{name}-t {name}-d",
    )
    return tag("div", svg, class_="frame", tabindex=None if links else 0, role="group", aria_label=title)


def words_at(x: float, y: float, text: str, class_: str = "", anchor: str = "start") -> Safe:
    """Return a text in a picture."""
    return tag("text", text, x=x, y=y, class_=class_ or None, text_anchor=None if anchor == "start" else anchor)


def rule(x1: float, y1: float, x2: float, y2: float, class_: str) -> Safe:
    """Return a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def trace(points: Sequence[tuple[float, float]], class_: str) -> Safe:
    """Return a line through points."""
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=class_)


def whisker(x: float, low: float | None, high: float | None, mean: float, y: Scale, class_: str) -> Safe:
    """Return an upright interval with its mean."""
    bar = rule(x, y.inside(low), x, y.inside(high), f"{class_} whisker") if low is not None and high is not None else Safe()
    return join(bar, tag("circle", cx=x, cy=y.inside(mean), r=4.5, class_=f"{class_} point"))


def spaced(wanted: Sequence[float], gap: float) -> list[bool]:
    """Return which labels fit, in order of priority: those at least `gap` from every label before them."""
    kept: list[float] = []
    fits: list[bool] = []
    for place in wanted:
        fit = all(abs(place - other) >= gap for other in kept)
        fits.append(fit)
        if fit:
            kept.append(place)
    return fits
