"""Measures what second parents add, drawn by it and drawn by rank: `python -m tests.bench.crossing RUN.db ...`.

For the elites at the end of each run, every one in turn the first parent, in the vault that the run was judged in. What parents
add is measured, not what an operator or a model makes of it.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean

from archives.archive import Archive
from evolve.runs.checks import stored_config
from evolve.search.context import dev_instances
from evolve.search.restore import pgrs
from evolve.selection.pairing import partners
from evolve.selection.parents import draw_by_rank
from fitness import tasks
from fitness.vault.rows import RowStore
from fitness.vault.vault import Vault

DRAWS = 400  # of a second parent for each first one
Drawn = Callable[[Sequence[str], str, random.Random], list[str]]


def measured(path: Path) -> None:
    """Print a line of the table for a run: elites, then what is added and the mates' mean PGR, by rank and by what they add."""
    with contextlib.closing(Archive.open(path)) as archive:
        config = stored_config(archive)
        rows = RowStore(Vault().rows(tasks.load(config.task)))
        looks = {method.id: method.sketch for method in archive.methods()}
        adds = partial(rows.adds, instances=dev_instances(config))
        worth = {method: fmean(pgrs(archive, method)) for method in {elite.method for elite in archive.elites()}}
        islands: dict[int, list[tuple[float, str]]] = {}
        for elite in archive.elites():
            islands.setdefault(elite.island, []).append((elite.fitness, elite.method))
    companies = [list(dict.fromkeys(method for _, method in sorted(found))) for found in islands.values()]

    def complement(methods: Sequence[str], parent: str, rng: random.Random) -> list[str]:
        return partners(methods, parent, adds, lambda a, b: looks[a] == looks[b], rng).draw(1, rng)

    def by_rank(methods: Sequence[str], parent: str, rng: random.Random) -> list[str]:
        return draw_by_rank(methods, 1, (parent,), rng)

    cells = [f"{path.stem}", f"{len(worth)}"]
    for draw in (by_rank, complement):
        pairs = _pairs(companies, draw, random.Random(0))
        found = [share for share in (adds(*pair) for pair in pairs) if share is not None]
        cells += [f"{fmean(found):.4f}", f"{fmean(worth[other] for _, other in pairs):.2f}"]
    print(f"| {' | '.join(cells)} |")


def _pairs(companies: Sequence[Sequence[str]], draw: Drawn, rng: random.Random) -> list[tuple[str, str]]:
    return [
        (parent, other)
        for methods in companies
        for parent in methods
        for _ in range(DRAWS)
        for other in draw(methods, parent, rng)
    ]


if __name__ == "__main__":
    print("| run | elites | added, by rank | their PGR | added, by complement | their PGR |\n|---|---|---|---|---|---|")
    for argument in sys.argv[1:]:
        measured(Path(argument))
