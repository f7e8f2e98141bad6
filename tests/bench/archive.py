"""What the archive costs: `python -m tests.bench.archive [METHODS]` prints a table in some two minutes; one is in archive.md.

add + place   a method and its place in the grid, one durable commit (WAL, synchronous NORMAL) each, with 10,000 elites there
raw           the same two rows by sqlite3 alone, on the same disk, in turns with ours
record        what the engine commits of a judged method: source, evaluation, ten trials, place
pyribs        GridArchive.add_single of as many elites, in memory
choose        Selector.choose: sixteen prompts drawn and one taken, with the default grid full, and with 10,000 elites
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

from archives.archive import Archive
from archives.grid import Bins, Grid
from archives.history import History, progress
from archives.nouns import Elite, MethodRecord, RunRecord
from evolve.islands.islands import Islands
from evolve.selection.choice import Proposer
from evolve.selection.selector import Selector
from fitness import pgr
from fitness.nouns import Evaluation, Measure, Score, Split, Status, Trial
from fitness.tasks import load
from fitness.tasks.directions import DIRECTIONS

SIZES = (1_000, 10_000, 100_000)
LARGE = Bins((Measure("a", 0.0, 1.0, 100), Measure("b", 0.0, 1.0, 100)))
BLOCK, BLOCKS = 400, 5  # adds of one measurement, and measurements of which the median is printed
CHOICES = 60
SOURCE = "".join(f"    x{line} = problem.train_x.mean() * {line}.0\n" for line in range(24))
_RAW = (
    "insert into methods (id, source, nodes, name, origin, structure, constants, sketch) "
    "values (?, ?, 200, '', 'search', ?, ?, ?)",
    "insert into elites (island, cell, method, fitness) values (0, ?, ?, ?) on conflict (island, cell) do update set "
    "method = excluded.method, fitness = excluded.fitness where excluded.fitness > elites.fitness",
)


class Rate(NamedTuple):
    """Steps a second, and microseconds of CPU of one: these hardly depend on what else the machine does."""

    steps: float
    cpu: float


def key(number: int) -> str:
    """Return a method's id, as scattered as a digest."""
    return f"{random.Random(number).getrandbits(256):064x}"


def record(number: int) -> MethodRecord:
    """Return a method of usual size."""
    rng = random.Random(number)
    sketch = tuple(rng.getrandbits(32) for _ in range(64))
    return MethodRecord(key(number), f"{SOURCE}{number}", 200, "", "search", f"{number % 997}", (0.5, 1e-3, 12.0), sketch)


def elite(number: int, grid: Grid = LARGE) -> Elite:
    """Return a method's elite: the first ones fill the grid, later ones lie anywhere."""
    cell = number if number < grid.cells else random.Random(number).randrange(grid.cells)
    return Elite(0, cell, key(number), random.Random(-number - 1).gauss(0.4, 0.2))


def evaluation(number: int) -> Evaluation:
    """Return an evaluation of ten trials."""
    score, method = Score(0.5, 0.02, 0.79, 0.6, 0.98, 3000), key(number)
    measures = {"teacher_agreement": 0.6, "confidence": 0.8, "positive_rate": 0.5}
    trials = tuple(Trial(method, "embedded", "chat", i, Split.DEV, Status.OK, score, measures, 0.2) for i in range(10))
    return Evaluation(method, trials, Status.OK, elite(number).fitness, {**measures, "size": 8.0})


def add_and_place(archive: Archive, number: int) -> None:
    """Commit a method and its place."""
    with archive.transaction():
        archive.add_method(record(number))
        archive.place(elite(number))


def add_all(archive: Archive, number: int) -> None:
    """Commit what the engine does of a judged method."""
    judged = evaluation(number)
    with archive.transaction():
        archive.add_method(record(number))
        archive.add_evaluation(judged, None, "chat", Split.DEV, pgr.interval(*judged.strata))
        archive.place(elite(number))


def raw(db: sqlite3.Connection, number: int) -> None:
    """Commit the same two rows by sqlite3 alone."""
    db.execute("begin")
    write(db, number)
    db.execute("commit")


def write(db: sqlite3.Connection, number: int) -> None:
    """Write the rows of a method by sqlite3 alone."""
    method, placed = record(number), elite(number)
    db.execute(_RAW[0], [method.id, method.source, method.structure, str(list(method.constants)), str(list(method.sketch))])
    db.execute(_RAW[1], [placed.cell, placed.method, placed.fitness])


def rate(step: Callable[[int], None], numbers: Iterator[int]) -> Rate:
    """Return the rate of a block; making its methods is taken off."""
    block = [next(numbers) for _ in range(BLOCK)]
    clocks = [(time.perf_counter(), time.process_time())]
    for number in block:
        record(number), elite(number)
    clocks.append((time.perf_counter(), time.process_time()))
    for number in block:
        step(number)
    clocks.append((time.perf_counter(), time.process_time()))
    wall, cpu = (end - 2 * made + began for began, made, end in zip(*clocks))
    return Rate(BLOCK / wall, cpu / BLOCK * 1e6)


def fill(archive: Archive, numbers: range) -> None:
    """Add many methods in one commit."""
    with archive.transaction():
        for number in numbers:
            archive.add_method(record(number))
            archive.place(elite(number))


def archives(folder: Path, most: int) -> Iterator[tuple[str, list[Rate]]]:
    """Yield a size, and there the rates of add + place, of sqlite3 alone, and of a whole record."""
    archive = Archive.create(folder / "ours.db")
    with closing(archive), closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as db:
        for statement in ("journal_mode = wal", "synchronous = normal", "foreign_keys = on"):
            db.execute(f"pragma {statement}")
        for name in ("methods", "elites"):
            db.execute(str(archive.rows("select sql from sqlite_master where name = ?", [name])[0]["sql"]))
        numbers, full = iter(range(1 << 30, 1 << 31)), 0
        for size in [size for size in SIZES if size <= most]:
            fill(archive, range(full, size))
            db.execute("begin")
            for number in range(full, size):
                write(db, number)
            db.execute("commit")
            full = size
            rates = [
                (
                    rate(lambda number: add_and_place(archive, number), numbers),
                    rate(lambda number: raw(db, number), numbers),
                    rate(lambda number: add_all(archive, number), numbers),
                )
                for _ in range(BLOCKS)
            ]
            label = f"{size:,} methods, {min(size, LARGE.cells):,} elites"
            yield label, [Rate(median(r.steps for r in column), median(r.cpu for r in column)) for column in zip(*rates)]


def theirs() -> float | None:
    """Return how many elites a second pyribs takes, one at a time, or None where it is not installed."""
    try:
        import numpy as np
        from ribs.archives import GridArchive
    except ImportError:
        return None
    held = GridArchive(solution_dim=1, dims=[100, 100], ranges=[(0, 1), (0, 1)])
    rng = np.random.default_rng(0)
    held.add(np.zeros((50_000, 1)), rng.normal(0.4, 0.2, 50_000), rng.random((50_000, 2)))
    points, fitness = rng.random((BLOCK * 5, 2)), rng.normal(0.4, 0.2, BLOCK * 5)
    began = time.perf_counter()
    for point, value in zip(points, fitness):
        held.add_single([1.0], value, point)
    return len(points) / (time.perf_counter() - began)


def selector(methods: int, islands: Islands) -> Selector:
    """Return a selector that knows so many methods."""
    made = Selector(
        islands, [], [Proposer("perturb", 1, ""), Proposer("cross", 2, ""), Proposer("insert", 1, "")], DIRECTIONS, 1.0
    )
    for number in range(methods):
        made.child(record(number))
    return made


def choosing(methods: int, elites: int) -> float:
    """Return the milliseconds of a choice on one island of so many elites; all are used, and every tenth places a method."""
    islands, number, took = Islands(1, LARGE), 1 << 30, 0.0
    for cell in range(min(methods, elites)):
        islands.place(replace(elite(cell), cell=cell))
    made = selector(methods, islands)
    for choice_number in range(CHOICES):
        began = time.perf_counter()
        choice = made.choose(choice_number, None, random.Random(choice_number))
        took += time.perf_counter() - began
        made.used(choice)
        if choice_number % 10 == 0:
            cell = choice_number % len(islands[0])
            islands.place(Elite(0, cell, key(number + choice_number), islands[0][cell].fitness + 0.01))
    return took / CHOICES * 1000


def looking_back(folder: Path) -> float:
    """Return the seconds that the series of a run of 10,000 evaluations take."""
    with closing(Archive.create(folder / "run.db")) as archive:
        archive.add_run(RunRecord("run", "", "embedded", "", "", "{}", 0, "finished", "A", ""))
        with archive.transaction():
            for number in range(10_000):
                add_all(archive, number)
        began = time.perf_counter()
        progress(History(archive, Bins(load("embedded").measures)), 96)
        return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    most = int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else SIZES[-1]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, SQLite {sqlite3.sqlite_version}")
    print(f"steps a second, medians of {BLOCKS} blocks of {BLOCK}, in turns")
    print(f"{'':34}" + "".join(f"{title:>13} {'us CPU':>8}" for title in ("add + place", "SQLite alone", "whole record")))
    rates: list[Rate] = []
    with tempfile.TemporaryDirectory() as name:
        for label, found in archives(Path(name), most):
            print(f"{label:34}" + "".join(f"{rate.steps:13,.0f} {rate.cpu:8.0f}" for rate in found), flush=True)
            rates.append(found[0])
        ribs = theirs()
        print(f"{'pyribs, in memory, 10,000 cells':34}{f'{ribs:,.0f}' if ribs else 'not installed':>12}")
        wall, cpu = rates[0].steps / rates[-1].steps, rates[-1].cpu / rates[0].cpu
        print(f"growth from {SIZES[0]:,} methods: {wall:.2f}x of wall, {cpu:.2f}x of CPU (aim: 1.5x; add + place: 2,000)")
        print(f"\n{'Selector.choose, ms':34}{'96 elites':>12}{'10,000 elites':>15}   (aim: 0.2)")
        for size in [size for size in SIZES if size <= most]:
            small, large = choosing(size, 96), choosing(size, 10_000)
            print(f"{f'{size:,} methods':34}{small:12.2f}{large:15.2f}", flush=True)
        print(f"\nseries of a run of 10,000 evaluations: {looking_back(Path(name)):.2f} s")


if __name__ == "__main__":
    main()
