"""Reads what came of one search of a study from its archive."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from archives.archive import Archive
from archives.grid import Bins
from archives.nouns import Row
from archives.sqlite.typed import value
from evolve.study.plan import Contestant
from fitness import tasks
from fitness.nouns import Split, Status

_JUDGED = (
    "select e.method, m.origin, m.flags, e.fitness, e.pgr, e.trials, e.measures from evaluations e "
    "join methods m on m.id = e.method where e.split = 'dev' and e.status != 'LOST' order by e.id"
)

_USD = "select case when count(*) = count(usd) then coalesce(sum(usd), 0.0) end as usd from spend where kind = 'model'"


@dataclass(frozen=True)
class Step:
    """From so many trials on, the fittest method so far had this mean dev PGR."""

    trials: int
    pgr: float


@dataclass(frozen=True)
class SearchOutcome:
    """What came of a search.

    Attributes:
        champion: id of the bred method it answers with; "" where it has none, and the best human baseline on dev stands for it
            (`bred` is then False).
        fresh: PGR of its answer on each fresh instance; `dev` on the dev instances.
        curve: best so far.
        auc: the mean height of the curve over the trials of the budget.
        qd_score: the sum of the best fitness in each cell of the task's grid, those below 0 counting as 0 (Pugh et al. 2016).
        behaviours: cells that bred methods occupy.
        evaluations, trials: of bred methods.
        usd: what its model calls cost, None where a price is unknown.
    """

    strategy: str
    repeat: int
    path: Path
    champion: str
    bred: bool
    fresh: tuple[float, ...]
    dev: float
    curve: tuple[Step, ...]
    auc: float
    qd_score: float
    behaviours: int
    evaluations: int
    trials: int
    usd: float | None
    seconds: float


def read(contestant: Contestant) -> SearchOutcome:
    """Return the outcome of a search that has ended. Raises ArchiveError when it cannot be read."""
    with contextlib.closing(Archive.open(contestant.path)) as archive:
        run, rows = archive.run(), archive.rows(_JUDGED)
        clean = [row for row in rows if row["fitness"] is not None and not row["flags"]]
        answer = run.champion or _best_seed(clean)
        known = {value(row, "method", str): row for row in clean}
        curve = _curve(rows)
        bred = [row for row in rows if row["origin"] == "search"]
        usd = archive.rows(_USD)[0]["usd"]
        cells = _cells(run.task, clean)
        return SearchOutcome(
            strategy=contestant.strategy,
            repeat=contestant.repeat,
            path=contestant.path,
            champion=run.champion,
            bred=bool(run.champion),
            fresh=fresh_pgrs(archive, answer, contestant.config.domains),
            dev=value(known[answer], "pgr", float),
            curve=curve,
            auc=_area(curve, contestant.trials),
            qd_score=sum(max(fitness, 0.0) for fitness, _ in cells.values()),
            behaviours=sum(is_bred for _, is_bred in cells.values()),
            evaluations=len(bred),
            trials=sum(value(row, "trials", int) for row in bred),
            usd=None if usd is None else float(str(usd)),
            seconds=run.seconds,
        )


def fresh_pgrs(archive: Archive, method: str, domains: Sequence[str]) -> tuple[float, ...]:
    """Return the PGR of a method on each fresh instance on which it ran."""
    trials = archive.trials(method, Split.FRESH, "+".join(domains))
    return tuple(trial.score.pgr for trial in trials if trial.status is Status.OK and trial.score)


def _best_seed(clean: Sequence[Row]) -> str:
    seeds = [row for row in clean if row["origin"] == "seed"]
    return str(max(seeds, key=lambda row: value(row, "pgr", float))["method"])


def _curve(rows: Sequence[Row]) -> tuple[Step, ...]:
    """Return the dev PGR of the fittest method so far; the seeds are there from the first trial on."""
    steps, spent, fittest = list[Step](), 0, float("-inf")
    for row in rows:
        if row["origin"] == "search":
            spent += value(row, "trials", int)
        fitness = value(row, "fitness", float | None)
        if fitness is not None and not row["flags"] and fitness > fittest:
            fittest = fitness
            steps.append(Step(spent, value(row, "pgr", float)))
    return tuple(steps)


def height(curve: Sequence[Step], trials: int) -> float:
    """Return the height of a curve after so many trials."""
    return next(step.pgr for step in reversed(curve) if step.trials <= trials)


def _area(curve: Sequence[Step], trials: int) -> float:
    """Return the mean height of a curve up to a number of trials."""
    inside = [step for step in curve if step.trials < trials]
    ends = [*(step.trials for step in inside), trials]
    return sum(step.pgr * (end - start) for step, (start, end) in zip(inside, pairwise(ends))) / trials


def _cells(task: str, clean: Sequence[Row]) -> dict[int, tuple[float, bool]]:
    """Return the best fitness in each cell of the task's own grid, and whether a bred method lies there."""
    grid, cells = Bins(tasks.load(task).measures), dict[int, tuple[float, bool]]()
    for row in clean:
        cell, fitness = grid.cell(value(row, "measures", dict[str, float])), value(row, "fitness", float)
        before, was_bred = cells.get(cell, (float("-inf"), False))
        cells[cell] = max(before, fitness), was_bred or row["origin"] == "search"
    return cells
