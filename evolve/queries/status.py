"""Returns where a run stands: what `status` prints and what heads the report."""

from __future__ import annotations

import json
from dataclasses import dataclass

from archives.archive import Archive
from archives.nouns import RunRecord
from archives.sqlite.typed import integer, lenient, maybe_real, real, text
from evolve.observer import BREEDING
from evolve.queries.disclosed import Disclosed, disclosed
from evolve.queries.diversity import POINTS, Breadth, DiversityPoint, breadth, spreads
from evolve.queries.leaderboard import BRED, FAILED, HUMAN, JUDGED, LeaderboardRow, ranked, ranking
from evolve.queries.operators import DirectionLine, OperatorStats, arms, directions
from fitness.nouns import CONTAINED

RECENT = 50  # proposals that "recently" means, for what the novelty term chose
_EVENTS = 8  # the last events of a status
_PHASES = "('phase', 'progress')"  # kinds of event that say what a run is busy with
_SINCE = "select count(*) as n from evaluations where split = 'dev' and"
_UNCONTAINED = "Methods of this run were not contained, so its scores may be what they made them"


@dataclass(frozen=True)
class BudgetUse:
    """What the run may use; None where it has no limit."""

    evals: float | None
    minutes: float | None
    usd: float | None
    tokens: float | None
    calls: float | None


@dataclass(frozen=True)
class Spent:
    """What the run has used. `usd` is None when the price of a call is unknown."""

    evaluations: int
    minutes: float
    usd: float | None
    calls: int
    tokens_in: int
    tokens_out: int
    trials: int
    trial_seconds: float


@dataclass(frozen=True)
class IslandStatus:
    """One island's grid: its occupied cells and its best elite."""

    island: int
    elites: int
    best: float
    method: str
    name: str


@dataclass(frozen=True)
class Happening:
    """An event of the run."""

    at: str
    kind: str
    text: str
    island: int | None
    method: str
    value: float | None


@dataclass(frozen=True)
class RunStatus:
    """A run at a glance.

    Attributes:
        db: path of the archive, as it was given.
        state: running, finished, or interrupted (also when its process is gone without a word).
        domain: the search domain; empty before anything was judged.
        uncontained: what to know before believing a run whose methods ran below sandbox level B; empty from level B up.
        evaluations: methods judged on dev instances, without the seeds.
        best: the champion, or while there is none the best method that is not a seed.
        human_best: the best seed on fresh instances, or while that is unknown the best seed on dev instances.
        refused: proposals that the operator or the screen refused; `unanswered`: those that no model answered.
        failed: evaluations that ended in a failure.
        in_flight: proposals on their way.
        variants: variants that operators tried beside the search; `variant_trials`: on how many instances in all.
        phase: what a process is doing with the run now, and what is done of how many; empty when none is.
        left: seconds until it is done, the final evaluation included; None when unknown.
        disclosed: what models were shown of scores; None when none was.
        recent: what the novelty term chose among the last proposals.
        entropy: the breadth of the search over the whole run, at most 120 points, fewer where fewer were asked for.
        arms: what came of each model and operator on each island, the most tried first.
        directions: every direction, the most tried first.
        events: the last things that happened, newest first.
    """

    run: str
    db: str
    state: str
    task: str
    task_version: str
    domain: str
    level: str
    uncontained: str
    created: str
    budget: BudgetUse
    spent: Spent
    evaluations: int
    methods: int
    refused: int
    unanswered: int
    failed: int
    in_flight: int
    variants: int
    variant_trials: int
    phase: str
    left: float | None
    best: LeaderboardRow | None
    human_best: LeaderboardRow | None
    champion: str
    verdict: str
    seconds: float
    engine_seconds: float
    islands: tuple[IslandStatus, ...]
    disclosed: Disclosed | None
    recent: Breadth
    entropy: tuple[DiversityPoint, ...]
    arms: tuple[OperatorStats, ...]
    directions: tuple[DirectionLine, ...]
    events: tuple[Happening, ...]


def settings(run: RunRecord) -> dict[str, object]:
    """Return the run's configuration, flat: sections are merged into the top level."""
    found: dict[str, object] = {}
    try:
        config = json.loads(run.config)
    except (ValueError, RecursionError):
        return found
    if isinstance(config, dict):
        for name, value in config.items():
            found.update(value if isinstance(value, dict) else {name: value})
    return found


def search_domain(archive: Archive, run: RunRecord) -> str:
    """Return the domain the search is scored on: that of the first dev evaluation, else the configured one."""
    rows = archive.rows("select domain from evaluations where split = 'dev' order by id limit 1")
    return text(rows[0], "domain") if rows else str(settings(run).get("domain") or "")


def events(archive: Archive, limit: int) -> tuple[Happening, ...]:
    """Return the last events, newest first."""
    rows = archive.rows(
        f"select at, kind, text, island, method, value from events where kind not in {_PHASES} order by id desc limit ?",
        [limit],
    )
    return tuple(lenient(Happening, row) for row in rows)


def run_status(archive: Archive, *, alive: bool, points: int = POINTS) -> RunStatus:
    """Return where a run stands; `alive` tells whether a process is working on it, `points` how many `entropy` has at most."""
    run = archive.run()
    counts = _counts(archive)
    spent = _spent(archive, run, counts["evaluations"])
    best = ranked(archive, run.champion) or next(iter(ranking(archive, 1, BRED)), None)
    human = ranked(archive, run.human_best) or next(iter(ranking(archive, 1, HUMAN)), None)
    state = run.state if alive or run.state != "running" else "interrupted"
    phase, left = _phase(archive, run, counts["evaluations"]) if state == "running" else ("", None)
    return RunStatus(
        run=run.id,
        db=str(archive.path),
        state=state,
        phase=phase,
        left=left,
        task=run.task,
        task_version=run.task_version,
        domain=search_domain(archive, run),
        level=run.level,
        uncontained=_uncontained(archive, run),
        created=run.created,
        budget=_budget(run),
        spent=spent,
        **counts,
        best=best,
        human_best=human,
        champion=run.champion,
        verdict=run.verdict,
        seconds=run.seconds,
        engine_seconds=run.engine_seconds,
        islands=_islands(archive),
        disclosed=disclosed(archive, str(settings(run).get("disclosure") or "ladder")),
        recent=breadth(archive, RECENT),
        entropy=spreads(archive, RECENT, points),
        arms=arms(archive),
        directions=directions(archive),
        events=events(archive, _EVENTS),
    )


def _phase(archive: Archive, run: RunRecord, evaluations: int) -> tuple[str, float | None]:
    """Return what the run is busy with, and how many seconds are left, counted down since it was stored."""
    rows = archive.rows(
        "select kind, text, value, at, (julianday('now') - julianday(at)) * 86400 as age from events "
        f"where kind in {_PHASES} order by id desc limit 1"
    )
    if not rows:
        return "", None
    (row,) = rows
    phase, after, age = text(row, "text"), maybe_real(row, "value"), real(row, "age")
    if phase != BREEDING or after is None:
        return phase, None if after is None else max(0.0, after - age)
    bred = integer(archive.rows(f"{_SINCE} created >= ?", [text(row, "at")])[0], "n")
    limits = _budget(run)
    known = [60 * limits.minutes - run.seconds] if limits.minutes is not None else []
    if bred and limits.evals is not None:
        known.append((limits.evals - evaluations) * age / bred)
    return phase, max(0.0, min(known)) + after if known else None


def _uncontained(archive: Archive, run: RunRecord) -> str:
    """Return what to know before believing a run whose methods ran below sandbox level B; empty from level B up."""
    if run.level in CONTAINED:
        return ""
    begins = f"sandbox level {run.level},"
    rows = archive.rows("select text from events where kind = 'sandbox' and substr(text, 1, ?) = ?", [len(begins), begins])
    flag = " (--trust-methods)" if settings(run).get("trust_methods") is True else ""
    return f"{_UNCONTAINED}{flag}: {text(rows[0], 'text') if rows else f'sandbox level {run.level}'}."


def _counts(archive: Archive) -> dict[str, int]:
    """Return the counts of a run's status."""
    row = archive.rows(
        f"select {JUDGED} as evaluations, {FAILED} as failed, "
        "(select count(*) from methods) as methods, (select count(*) from proposals where state = 'refused') as refused, "
        "(select count(*) from proposals where state = 'unanswered') as unanswered, "
        "(select count(*) from proposals where state in ('asked', 'proposed', 'judging', 'lost')) as in_flight, "
        "(select count(*) from experiments) as variants"
    )[0]
    names = ("evaluations", "failed", "methods", "refused", "unanswered", "in_flight", "variants")
    return {name: integer(row, name) for name in names} | {"variant_trials": archive.tried()}


def _budget(run: RunRecord) -> BudgetUse:
    found = settings(run)
    names = ("evals", "minutes", "usd", "tokens", "max_calls")
    return BudgetUse(*(maybe_real(found, name) if name in found else None for name in names))


def _spent(archive: Archive, run: RunRecord, evaluations: int) -> Spent:
    calls = archive.rows(
        "select sum(calls) as calls, sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out, sum(usd) as usd, "
        "sum(usd is null) as unpriced from spend where kind = 'model' and calls > 0"
    )[0]
    trials = archive.rows("select sum(trials) as trials, sum(seconds) as trial_seconds from evaluations")[0]
    usd = None if integer(calls, "unpriced") else real(calls, "usd")
    return lenient(Spent, {**calls, **trials}, evaluations=evaluations, minutes=run.seconds / 60, usd=usd)


def _islands(archive: Archive) -> tuple[IslandStatus, ...]:
    rows = archive.rows(
        "select e.island, count(*) as elites, max(e.fitness) as best, e.method, m.name from elites e "
        "join methods m on m.id = e.method group by e.island order by e.island"  # SQLite: bare columns are those of the maximum
    )
    return tuple(lenient(IslandStatus, row) for row in rows)
