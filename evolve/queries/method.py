"""Returns everything the archive knows about one method: what `show` prints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archives.archive import Archive
from archives.nouns import ArchiveError, Row
from archives.sqlite.typed import integer, lenient, maybe_real, real, text, value
from evolve.prompting.ablations import Ablations
from evolve.queries import leaderboard
from evolve.queries.ablated import ablations_of
from evolve.queries.ends import ends, of_each
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
    notes: dict[str, float]


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

    @property
    def instances(self) -> int:
        """Of each domain."""
        return of_each(self.domain, len(self.trials))

    @property
    def noted(self) -> dict[str, list[float]]:
        """The numbers that the method noted, by name, trial by trial."""
        return by_name(trial.notes for trial in self.trials)


def by_name(notes: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return the notes of several trials by their names."""
    found: dict[str, list[float]] = {}
    for name, number in ((name, number) for trial in notes for name, number in trial.items()):
        found.setdefault(name, []).append(number)
    return found


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
    """A method with all that is known of it.

    Attributes:
        ranked: None when it has no row in the leaderboard; `birth`: None for seeds.
        ablations: what its parts are worth; None when it was not taken apart.
    """

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
    ablations: Ablations | None

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
    return lenient(
        MethodDetails,
        rows[0],
        method=method,
        ranked=leaderboard.ranked(archive, method) if ranked else None,
        birth=birth(archive, method),
        evaluations=_evaluations(archive, method),
        findings=tuple(archive.findings(method)),
        children=integer(children, "n"),
        ablations=ablations_of(archive, method),
    )


def birth(archive: Archive, method: str) -> Birth | None:
    """Return how a method came about, or None for a seed or an added file."""
    rows = archive.rows(
        "select p.*, p.id as proposal, d.text as direction_text, sum(s.tokens_in) as tokens_in, "
        "sum(s.tokens_out) as tokens_out, sum(s.usd) as usd, sum(s.usd is null and s.calls > 0) as unpriced, "
        "sum(s.seconds) as seconds "
        "from proposals p join directions d on d.name = p.direction left join spend s on s.proposal = p.id "
        "where p.method = ? group by p.id order by p.id limit 1",
        [method],
    )
    if not rows:
        return None
    row = rows[0]
    return lenient(
        Birth,
        row,
        system=archive.run().system if text(row, "model") else "",
        usd=None if integer(row, "unpriced") else real(row, "usd"),
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
    measures = value(row, "measures", dict[str, float])
    lines = tuple(map(_trial, trials))
    return lenient(EvaluationLine, row, measures=measures, trials=lines, **ends(row))


def _trial(row: Row) -> TrialLine:
    return lenient(TrialLine, row, notes=value(row, "notes", dict[str, float]))
