"""Returns everything the archive knows about one method: what `show` prints."""

from __future__ import annotations

import json
from dataclasses import dataclass

from archives.archive import Archive
from archives.nouns import ArchiveError, Row
from archives.sqlite.typed import integer, maybe_real, real, text, value
from evolve.queries import leaderboard
from evolve.queries.leaderboard import LeaderboardRow
from evolve.text import label
from fitness.nouns import Finding


@dataclass(frozen=True)
class TrialLine:
    """One trial: a method on one instance of a domain. The accuracies and `pgr` are None unless the status is OK."""

    domain: str
    instance: int
    status: str
    pgr: float | None
    stderr: float | None
    transfer_acc: float | None
    weak_acc: float | None
    strong_acc: float | None
    seconds: float
    message: str


@dataclass(frozen=True)
class EvaluationLine:
    """One evaluation with its trials; `pgr_low` and `pgr_high` are None where no interval can be given."""

    domain: str
    split: str
    status: str
    fitness: float | None
    pgr: float | None
    pgr_low: float | None
    pgr_high: float | None
    measures: dict[str, float]
    seconds: float
    message: str
    created: str
    trials: tuple[TrialLine, ...]


@dataclass(frozen=True)
class Parent:
    """A parent as its child names it."""

    method: str
    name: str
    pgr: float | None
    gain: float | None


@dataclass(frozen=True)
class Birth:
    """How a method came about; `usd` is None when the price of its call is unknown."""

    proposal: int
    island: int
    operator: str
    model: str
    direction: str
    direction_text: str
    idea: str
    system: str
    prompt: str
    reply: str
    novelty: float
    created: str
    tokens_in: int
    tokens_out: int
    usd: float | None
    seconds: float
    parents: tuple[Parent, ...]


@dataclass(frozen=True)
class MethodDetails:
    """A method with all that is known of it; `ranked` is None when it has no row in the leaderboard, `birth` for seeds."""

    method: str
    name: str
    origin: str
    nodes: int
    flags: str
    created: str
    source: str
    ranked: LeaderboardRow | None
    birth: Birth | None
    evaluations: tuple[EvaluationLine, ...]
    findings: tuple[Finding, ...]
    children: int

    @property
    def label(self) -> str:
        """What people call it."""
        return label(self.name, self.method)


def method_details(archive: Archive, method: str, *, ranked: bool = True) -> MethodDetails:
    """Return everything about a method, its `ranked` row only when asked for. Raises ArchiveError for an unknown method."""
    rows = archive.rows("select * from methods where id = ?", [method])
    if not rows:
        raise ArchiveError(f"{archive.path} holds no method {method}")
    children = archive.rows(
        "select count(distinct method) as n from proposals where state = 'done' and instr(parents, ?)", [json.dumps(method)]
    )[0]
    return MethodDetails(
        method=method,
        name=text(rows[0], "name"),
        origin=text(rows[0], "origin"),
        nodes=integer(rows[0], "nodes"),
        flags=text(rows[0], "flags"),
        created=text(rows[0], "created"),
        source=text(rows[0], "source"),
        ranked=leaderboard.ranked(archive, method) if ranked else None,
        birth=birth(archive, method),
        evaluations=_evaluations(archive, method),
        findings=tuple(archive.findings(method)),
        children=integer(children, "n"),
    )


def birth(archive: Archive, method: str) -> Birth | None:
    """Return how a method came about, or None for a seed or an added file."""
    rows = archive.rows(
        "select p.*, d.text as direction_text, sum(s.tokens_in) as tokens_in, sum(s.tokens_out) as tokens_out, "
        "sum(s.usd) as usd, sum(s.usd is null and s.calls > 0) as unpriced, sum(s.seconds) as seconds "
        "from proposals p join directions d on d.name = p.direction left join spend s on s.proposal = p.id "
        "where p.method = ? group by p.id order by p.id limit 1",
        [method],
    )
    if not rows:
        return None
    row = rows[0]
    return Birth(
        proposal=integer(row, "id"),
        island=integer(row, "island"),
        operator=text(row, "operator"),
        model=text(row, "model"),
        direction=text(row, "direction"),
        direction_text=text(row, "direction_text"),
        idea=text(row, "idea"),
        system=archive.run().system if text(row, "model") else "",
        prompt=text(row, "prompt"),
        reply=text(row, "reply"),
        novelty=real(row, "novelty"),
        created=text(row, "created"),
        tokens_in=integer(row, "tokens_in"),
        tokens_out=integer(row, "tokens_out"),
        usd=None if integer(row, "unpriced") else real(row, "usd"),
        seconds=real(row, "seconds"),
        parents=_parents(archive, method, value(row, "parents", tuple[str, ...])),
    )


def _parents(archive: Archive, method: str, ids: tuple[str, ...]) -> tuple[Parent, ...]:
    found: list[Parent] = []
    for parent in ids:
        row = archive.rows(
            "select (select name from methods where id = ?1) as name, "
            "(select pgr from evaluations where method = ?1 and split = 'dev' order by id desc limit 1) as pgr, "
            "(select pgr from evaluations where method = ?2 and split = 'dev' order by id desc limit 1) as own",
            [parent, method],
        )[0]
        pgr, own = maybe_real(row, "pgr"), maybe_real(row, "own")
        gain = None if pgr is None or own is None else round(own - pgr, 3)
        found.append(Parent(parent, text(row, "name"), pgr, gain))
    return tuple(found)


def _evaluations(archive: Archive, method: str) -> tuple[EvaluationLine, ...]:
    rows = archive.rows("select * from evaluations where method = ? order by id", [method])
    return tuple(_evaluation(archive, row) for row in rows)


def _evaluation(archive: Archive, row: Row) -> EvaluationLine:
    trials = archive.rows("select * from trials where evaluation = ? order by place", [row["id"]])
    return EvaluationLine(
        domain=text(row, "domain"),
        split=text(row, "split"),
        status=text(row, "status"),
        fitness=maybe_real(row, "fitness"),
        pgr=maybe_real(row, "pgr"),
        pgr_low=maybe_real(row, "pgr_low"),
        pgr_high=maybe_real(row, "pgr_high"),
        measures=value(row, "measures", dict[str, float]),
        seconds=real(row, "seconds"),
        message=text(row, "message"),
        created=text(row, "created"),
        trials=tuple(_trial(trial) for trial in trials),
    )


def _trial(row: Row) -> TrialLine:
    return TrialLine(
        domain=text(row, "domain"),
        instance=integer(row, "instance"),
        status=text(row, "status"),
        pgr=maybe_real(row, "pgr"),
        stderr=maybe_real(row, "stderr"),
        transfer_acc=maybe_real(row, "transfer_acc"),
        weak_acc=maybe_real(row, "weak_acc"),
        strong_acc=maybe_real(row, "strong_acc"),
        seconds=real(row, "seconds"),
        message=text(row, "message"),
    )
