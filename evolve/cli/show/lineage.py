"""Prints a method's ancestors like a commit graph, for the verb `lineage`."""

from __future__ import annotations

from rich.cells import cell_len

from evolve.cli.show.console import console, fit, fold, pad, paragraph, say
from evolve.queries.lineage import Ancestor, Lineage
from evolve.text import count, made_by, number, one_line, short

_WIDTH = 78  # columns of a line, at most
_DEEPEST = 24  # columns of branches before a lineage is cut, at most: a third of the screen
_DIRECTION = 8  # columns that a direction needs to be shown


def print_pedigree(tree: Lineage) -> None:
    """Print a lineage like a commit graph: first parents straight down, other parents as branches, every method once."""
    paragraph("method, dev PGR, made by, gain over each parent, direction", "dim", margin="  ")
    _print_line(tree.root, "", tree.by_id(), {ancestor.method for ancestor in tree.spine()}, set())
    if tree.left_out:
        say(f"{count(tree.left_out, 'more ancestor')} not shown.", "dim")


def _print_line(method: str, prefix: str, known: dict[str, Ancestor], spine: set[str], printed: set[str]) -> None:
    """Print a method and its first parents; branches for other parents end where they meet what is printed elsewhere."""
    current: str | None = method
    while current is not None:
        ancestor = known.get(current)
        elsewhere = current in printed or (prefix and current in spine)
        if ancestor is None or elsewhere:
            name = fit(ancestor.label if ancestor else short(current), 20)
            say(
                f"{prefix}○ {name}  {'in the main line' if current in spine else 'see above' if ancestor else 'not shown'}",
                "dim",
            )
            return
        printed.add(current)
        first, *more = _ancestor(ancestor, _width() - len(prefix) - 2)
        say(f"{prefix}● {first}")
        for line in more:
            say(f"{prefix}│   {line}")
        deep = len(prefix) >= min(_DEEPEST, _width() // 3)
        for other in ancestor.parents[1:]:
            if deep:
                say(f"{prefix}├─○ {fit(known[other].label if other in known else short(other), 20)}  …", "dim")
                continue
            say(f"{prefix}├─╮")
            _print_line(other, f"{prefix}│ ", known, spine, printed)
        current = ancestor.parents[0] if ancestor.parents else None


def _width() -> int:
    return min(console().width - 1, _WIDTH)


def _ancestor(ancestor: Ancestor, width: int) -> list[str]:
    """Return what is said of an ancestor: on one line, or on a narrow screen with its making on lines of their own."""
    scores = pad(f"{fit(ancestor.label, 20)}  {number(ancestor.pgr)}", 14)
    if not ancestor.parents:
        return [f"{scores}  {one_line(made_by('', origin=ancestor.origin), 10)}"]
    gains = " / ".join(number(gain, sign=True) for gain in ancestor.gains)
    made = f"{scores}  {pad(fit(made_by(ancestor.operator), 12), 9)}  {gains:<11}  "
    if cell_len(made) + _DIRECTION <= width:
        return [made + fit(ancestor.direction, width - cell_len(made))]
    return [scores.rstrip(), *fold(f"{made_by(ancestor.operator)}  {gains}", width - 4)]
