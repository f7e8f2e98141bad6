"""What `status` prints of the search itself: the entropy of its directions over time, its arms, and its directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evolve.cli.printing import paragraph, say, table
from evolve.report.arms import Arm, DirectionLine, descent, explained, over_islands
from evolve.report.clean import one_line
from evolve.report.wording import NONE, count, money, number

if TYPE_CHECKING:
    from evolve.report.diversity import Spread
    from evolve.report.standing import Standing

_BARS = "▁▂▃▄▅▆▇█"
POINTS = 32  # of a sparkline
_ARMS = 6
_DIRECTIONS = 8


def print_search(now: Standing) -> None:
    """Print the arms and the directions of a run, where there are any."""
    summed = over_islands(now.arms)
    if summed:
        say()
        _print_arms(summed)
        paragraph(explained(summed))
    if any(line.tried for line in now.directions):
        say()
        _print_directions(now.directions)


def over_time(spreads: Sequence[Spread], most: float) -> str:
    """Return direction entropy over the run as a row of bars, with where it began and where it is now."""
    if len(spreads) < 2:
        return ""
    points = [spread.entropy for spread in spreads]
    width = min(len(points), POINTS)
    shown = [points[round(place * (len(points) - 1) / (width - 1))] for place in range(width)]
    bars = "".join(_BARS[min(len(_BARS) - 1, int(len(_BARS) * bits / max(most, 0.1)))] for bits in shown)
    third = points[: max(1, len(points) // 3)]
    return f"{bars}  first third {sum(third) / len(third):.1f}, now {points[-1]:.1f} bits"


def _print_arms(summed: Sequence[Arm]) -> None:
    rows = [
        [
            arm.operator, arm.model or NONE, f"{arm.tried:,}", f"{arm.placed:,}", number(arm.gain),
            money(arm.usd) if arm.calls else NONE, _per_dollar(arm),
        ]
        for arm in summed[:_ARMS]
    ]  # fmt: skip
    headers = ["arm", "model", "tried", "elites", "gain", "cost", "per dollar"]
    table(headers, rows, flexible=1, right=(2, 3, 4, 5, 6))
    _more(len(summed) - _ARMS, "arm")


def _print_directions(lines: Sequence[DirectionLine]) -> None:
    rows = [[one_line(line.name, 32), f"{line.tried:,}", f"{line.placed:,}", descent(line)] for line in lines[:_DIRECTIONS]]
    table(["direction", "tried", "elites", "from"], rows, flexible=3, right=(1, 2))
    _more(len(lines) - _DIRECTIONS, "direction")


def _per_dollar(arm: Arm) -> str:
    if not arm.calls:
        return NONE
    return "unknown" if arm.usd is None else NONE if arm.per_dollar is None else f"{arm.per_dollar:.3g}"


def _more(left: int, noun: str) -> None:
    if left > 0:
        say(f"{count(left, f'more {noun}')}: --json lists all", "dim")
