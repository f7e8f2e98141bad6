"""Credits the steps of a champion's lineage: what each gained, and how much holds on instances that selection never saw."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Literal

from archives.archive import Archive
from archives.nouns import Look, MethodRecord
from evolve import executors
from evolve.errors import UsageError
from evolve.executors.job import Job
from evolve.prompting.disclosure import ENGINE, Lineages
from evolve.queries.lineage import Ancestor, lineage_of
from evolve.runs.checks import check_origin, known_executor, record_weak_walls, stored_config
from evolve.runs.resources import judge_resources
from evolve.search.context import fresh_instances
from evolve.search.deleted_lines import DeletedLines, significant
from evolve.study.outcome import fresh_pgrs
from fitness import pgr, tasks
from fitness.nouns import Evaluation, Score, Split, Status, finite

_WHY = "credit: the ancestors of a champion"
Kind = Literal["structure", "constants"]


@dataclass(frozen=True)
class Edge:
    """A step of a lineage, from a first parent to its child.

    Attributes:
        kind: "constants" when the two differ in constants only.
        dev: gain in mean PGR on the dev instances that both ran on, None when there are none.
        fresh: gain on the fresh instances; None where either failed there.
        low: its one-sided 95 % lower bound; None of too few instances too.
        added: significant lines that the child added; `readded`: of them, lines that the lineage had deleted before.
    """

    parent: str
    child: str
    operator: str
    idea: str
    kind: Kind
    dev: float | None
    fresh: float | None
    low: float | None
    added: int
    readded: int


@dataclass(frozen=True)
class Credit:
    """Where a champion's gain comes from.

    Attributes:
        seed: the name of the human baseline that its first parents go back to.
        edges: from the seed to the champion.
        fresh: the champion's mean fresh PGR minus the seed's, with its one-sided 95 % lower bound; None of too few instances.
        control: fresh PGR of the best found by tuning constants alone minus that of the seed; None without a control.
    """

    champion: str
    seed: str
    instances: int
    edges: tuple[Edge, ...]
    dev: float
    fresh: float
    low: float | None
    control: float | None = None

    def gained(self, kind: Kind, split: Literal["dev", "fresh"]) -> float:
        """Return the sum of the gains of one kind of step."""
        gains = (edge.dev if split == "dev" else edge.fresh for edge in self.edges if edge.kind == kind)
        return sum(gain or 0.0 for gain in gains)


def line_of(archive: Archive, method: str) -> tuple[Ancestor, ...]:
    """Return the line of first parents of a method, its seed first. Raises UsageError when it goes back to no seed."""
    line = tuple(reversed(lineage_of(archive, method).spine()))
    if len(line) < 2 or line[0].origin not in ("seed", "added"):
        raise UsageError(f"{method[:8]} descends from no seed in this run: credit is for bred methods (see `evolve top`)")
    return line


def judge_line(path: Path, method: str, say: Callable[[str], None], trust: bool = False) -> None:
    """Judge the ancestors of a method on the run's fresh instances, those that were not judged there yet; looks are recorded.

    Raises EvolveError when the run is not finished, or was scored with another vault.
    """
    archive = Archive.open(path, write=True)
    with contextlib.closing(archive):
        config, run = stored_config(archive), archive.run()
        if run.state != "finished":
            raise UsageError(f"{path} is {run.state}: credit is given when a run has finished (`evolve resume --db {path}`)")
        names = fresh_instances(config)
        line = [ancestor.method for ancestor in line_of(archive, method)]
        label = "+".join(config.domains)
        todo = [m for m in archive.methods() if m.id in line and len(archive.trials(m.id, Split.FRESH, label)) < len(names)]
        if not todo:
            return
        task, executor = tasks.load(config.task), known_executor(config, path)
        check_origin(archive, task)
        say(f"judging {len(todo)} ancestors on {len(names)} fresh instances")
        with judge_resources(task, names, config.device, trust=trust) as resources:
            record_weak_walls(archive, resources.sandbox)
            with executors.opened(executor, resources.judge, config.workers), resources.stopped_at_the_end():
                futures = [executor.submit(Job("evaluate", m.method, tuple(names))) for m in todo]
                for number, (judged, future) in enumerate(zip(todo, futures), start=1):
                    _record(archive, label, future.result(), config.domains)
                    say(f"{number} of {len(todo)}: {judged.name or judged.id[:8]}")


def _record(archive: Archive, label: str, evaluation: Evaluation, domains: Sequence[str]) -> None:
    ok, lineage = evaluation.status is Status.OK, Lineages(archive, domains).ancestor_seed(evaluation.method)
    with archive.transaction():
        archive.add_evaluation(evaluation, None, label, Split.FRESH, pgr.interval(*evaluation.strata) if ok else None)
        for domain in domains:
            count = sum(trial.domain == domain for trial in evaluation.trials)
            archive.look(Look(ENGINE, evaluation.method, lineage, domain, Split.FRESH, count, _WHY))


def control_pgr(path: Path) -> float:
    """Return the mean fresh PGR of a tuning run's answer. Raises UsageError when it is none, or has none."""
    with contextlib.closing(Archive.open(path)) as archive:
        config, champion = stored_config(archive), archive.run().champion
        fresh = fresh_pgrs(archive, champion, config.domains) if champion else ()
    if config.strategy != "tune" or not fresh:
        raise UsageError(f"{path} is no finished run of `start --strategy tune`, so it cannot be the control")
    return fmean(fresh)


def credit(archive: Archive, method: str, control: float | None = None) -> Credit:
    """Return where a method's gain comes from, of what its archive holds; `control`: fresh PGR that tuning alone reached."""
    label = "+".join(stored_config(archive).domains)
    line = line_of(archive, method)
    records = {m.id: m for m in archive.methods() if m.id in {ancestor.method for ancestor in line}}
    scores = {split: {a.method: _scores(archive, a.method, split, label) for a in line} for split in (Split.DEV, Split.FRESH)}
    lineages = DeletedLines(significant)
    lineages.add(line[0].method, records[line[0].method].source, None)
    edges = []
    for parent, child in pairwise(line):
        edges.append(_edge(records[parent.method], records[child.method], child, scores, lineages))
        lineages.add(child.method, records[child.method].source, parent.method)
    seed, champion, fresh = line[0], line[-1], scores[Split.FRESH]
    total = _gain(fresh[seed.method], fresh[champion.method])
    dev = _gain(scores[Split.DEV][seed.method], scores[Split.DEV][champion.method])
    if total is None or dev is None:
        raise UsageError(f"{champion.label} and {seed.label} were not judged on the same fresh instances")
    base = fmean(score.pgr for score in fresh[seed.method].values())
    return Credit(
        champion.label,
        seed.label,
        len(fresh[seed.method]),
        tuple(edges),
        dev[0],
        *total,
        control=None if control is None else control - base,
    )


_Scores = dict[tuple[str, int], Score]


def _edge(
    parent: MethodRecord, child: MethodRecord, made: Ancestor, scores: dict[Split, dict[str, _Scores]], lineages: DeletedLines
) -> Edge:
    dev, fresh = (_gain(scores[split][parent.id], scores[split][child.id]) for split in (Split.DEV, Split.FRESH))
    before = set(significant(parent.source))
    return Edge(
        parent=parent.id,
        child=child.id,
        operator=made.operator,
        idea=made.idea,
        kind="constants" if parent.structure == child.structure else "structure",
        dev=dev[0] if dev else None,
        fresh=fresh[0] if fresh else None,
        low=fresh[1] if fresh else None,
        added=sum(line not in before for line in significant(child.source)),
        readded=len(lineages.readded(parent.id, child.source)),
    )


def _scores(archive: Archive, method: str, split: Split, label: str) -> _Scores:
    return {(t.domain, t.instance): t.score for t in archive.trials(method, split, label) if t.score}


def _gain(before: _Scores, after: _Scores) -> tuple[float, float | None] | None:
    """Return the mean paired gain on the instances that both have, and its one-sided 95 % lower bound unless they are few."""
    both = [place for place in before if place in after]
    if not both:
        return None
    mean, low = pgr.paired([after[place] for place in both], [before[place] for place in both])
    return mean, finite(low)
