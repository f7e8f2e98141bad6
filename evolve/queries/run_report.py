"""Collects everything the report shows, from an archive at one moment."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from archives.archive import Archive
from evolve import text
from evolve.files import mark
from evolve.queries import contested, costs, failures, final_table
from evolve.queries.best_so_far import Curve, curve
from evolve.queries.changes import SourceChange, change
from evolve.queries.diversity import DiversityPoint, entropy_limit
from evolve.queries.heat_maps import HeatMap, heat_maps
from evolve.queries.leaderboard import LeaderboardRow, ranking
from evolve.queries.lineage import Lineage, lineage_of
from evolve.queries.operators import OperatorYield, yields
from evolve.queries.scale_table import ScaleTable, scale_table
from evolve.queries.status import Happening, RunStatus, events, run_status
from evolve.queries.words import CalledNumbers, words_of
from evolve.text import label
from fitness.nouns import EvolveError

LEADERBOARD = 100  # methods of the leaderboard in a report
DIFFS = 5  # methods whose last step is shown as a diff
_EVENTS = 30  # the last events in a report


@dataclass(frozen=True)
class Report:
    """A run as the report shows it.

    Attributes:
        made_by: the mark by which the run knows its own files again; it stands first.
        judged: methods in the whole leaderboard, of which `leaderboard` holds the best 100.
        baselines: the seeds, best on fresh instances (else on dev) first.
        scale: the champion on each size of model, where the run was asked for it.
        maps: empty when the task is not known here.
        lineage: of the best method, or None without one; `source` is its text.
        changes: the best bred methods against their first parents.
        spreads: entropy of the directions and novelty of the prompts over the run.
    """

    made_by: str
    standing: RunStatus
    verdict: final_table.FinalVerdict
    comparisons: tuple[final_table.Comparison, ...]
    contested: tuple[contested.Contested, ...]
    scale: ScaleTable | None
    curve: Curve
    judged: int
    leaderboard: tuple[LeaderboardRow, ...]
    baselines: tuple[LeaderboardRow, ...]
    maps: tuple[HeatMap, ...]
    lineage: Lineage | None
    source: str
    changes: tuple[SourceChange, ...]
    entropy_max: float
    spreads: tuple[DiversityPoint, ...]
    operators: tuple[OperatorYield, ...]
    directions: tuple[OperatorYield, ...]
    failures: tuple[failures.FailureLine, ...]
    costs: tuple[costs.CostLine, ...]
    events: tuple[Happening, ...]
    words: CalledNumbers

    @property
    def champion(self) -> str:
        """What people call the champion, or the best bred method while there is none."""
        best = self.standing.best
        return label(best.name, best.method) if best else ""


def collect(archive: Archive, *, alive: bool, methods: tuple[LeaderboardRow, ...] | None = None) -> Report:
    """Read the report's data in one transaction.

    Args:
        alive: whether a process is working on the run.
        methods: the whole leaderboard, where the caller has read it in the same transaction.
    """
    with archive.transaction():
        run = archive.run()
        now = run_status(archive, alive=alive)
        methods = ranking(archive) if methods is None else methods
        board, seeds = methods[:LEADERBOARD], [row for row in methods if row.origin in ("seed", "added")]
        best = now.best.method if now.best else ""
        sources = archive.rows("select source from methods where id = ?", [best])
        return Report(
            made_by=mark(run.key),
            standing=now,
            verdict=final_table.verdict(archive, run),
            contested=contested.contested(archive, now.domain),
            scale=scale_table(archive),
            comparisons=final_table.comparisons(archive, run.champion, run.human_best, now.domain),
            curve=curve(archive),
            judged=len(methods),
            leaderboard=board,
            baselines=tuple(sorted(seeds, key=_worth, reverse=True)),
            maps=_maps(archive),
            lineage=lineage_of(archive, best) if best else None,
            source=str(sources[0]["source"]) if sources else "",
            changes=_changes(archive, now.best, board),
            entropy_max=entropy_limit(archive),
            spreads=now.entropy,
            operators=yields(archive, "operator"),
            directions=yields(archive, "direction"),
            failures=failures.failures(archive),
            costs=costs.costs(archive),
            events=events(archive, _EVENTS),
            words=words_of(archive),
        )


def as_json(report: Report) -> str:
    """Return the report's data as JSON; what is not finite becomes null."""
    return text.as_json(asdict(report), indent=2)


def _worth(row: LeaderboardRow) -> float:
    score = row.pgr if row.fresh_pgr is None else row.fresh_pgr
    return -math.inf if score is None else score


def _maps(archive: Archive) -> tuple[HeatMap, ...]:
    try:
        return heat_maps(archive)
    except EvolveError:
        return ()


def _changes(archive: Archive, best: LeaderboardRow | None, board: tuple[LeaderboardRow, ...]) -> tuple[SourceChange, ...]:
    """Return the steps that made the champion and the next best bred methods."""
    wanted = dict.fromkeys([*([best.method] if best else []), *(row.method for row in board if row.operator)])
    found: list[SourceChange] = []
    for method in list(wanted)[: 2 * DIFFS]:
        ancestors = lineage_of(archive, method, 1).ancestors
        parents = ancestors[0].parents if ancestors else ()
        if parents and archive.rows("select 1 from methods where id = ?", [parents[0]]):
            found.append(change(archive, parents[0], method))
    return tuple(found[:DIFFS])
