"""An archive of methods whose PGR on each of two domains is known, and the briefs that a session makes of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from archives.archive import Archive
from archives.grid import Bins
from archives.nouns import Elite, MethodRecord, ProposalRecord, RunRecord
from evolve import operators
from evolve.islands.islands import Islands
from evolve.nouns import Brief
from evolve.prompting import prompts
from evolve.prompting.disclosure import Disclosure, DisclosureKind
from evolve.prompting.words import template
from evolve.search.ablations import AblationQueue
from evolve.search.briefing import Briefing
from evolve.search.feedback import Feedback
from evolve.search.recorder import Listeners
from evolve.search.restore import pgrs, restore, source_of
from evolve.search.state import SearchState
from evolve.selection.choice import Choice
from evolve.selection.selector import Selector
from fitness import pgr
from fitness.nouns import Evaluation, Measure, Split, Status, Trial
from fitness.pgr import interval_of
from fitness.tasks.directions import DIRECTIONS

DOMAINS = ("one", "two")
INSTANCES = 6
GRID = Bins((Measure("teacher_agreement", 0.0, 1.0, 10), Measure("size", 0.0, 10.0, 4)))
MESSAGE = "ValueError at line 3: shapes 4 and 5 differ"
REFUSAL = "line 2: the name 'softmax' is not defined"
SOURCE = '''"""A method called {0}."""

SHARE = {1}


def method(problem):
    rows = {1} + SHARE
    return problem.weak * rows
'''


@dataclass
class Known:
    """The archive, and what is true of each method, by name: its PGR on each domain."""

    archive: Archive
    truth: dict[str, tuple[float, ...]]
    proposals: int = 0

    def seed(self, name: str, *true: float) -> None:
        """Store a human baseline with this PGR on each domain."""
        self._judged(name, true, None, "seed", INSTANCES)

    def child(
        self, name: str, parent: str, *true: float, idea: str = "", prediction: str = "", instances: int = INSTANCES,
        placed: bool = False, status: Status = Status.OK, agreement: float = 0.55,
    ) -> None:  # fmt: skip
        """Store a child with this PGR on each domain, or one that ended with another status."""
        number = self._proposed(parent, idea or f"idea of {name}", prediction)
        if status is Status.OK:
            self._judged(name, true, number, "search", instances, agreement)
        else:
            self._method(name, "search")
            self.archive.add_evaluation(
                Evaluation(name, (), status, None, message=MESSAGE), number, "+".join(DOMAINS), Split.DEV, None
            )
        placement = "IMPROVED" if placed else "REJECTED"
        self.archive.set_proposal_state(number, "done", method=name, placement=placement)
        if placed:
            cell = GRID.cell({"teacher_agreement": agreement, "size": 8.0})
            self.archive.place(Elite(0, cell, name, fmean(true)))

    def refused(self, parent: str, idea: str, reason: str = REFUSAL) -> None:
        """Store a proposal that the screen refused."""
        self.archive.set_proposal_state(self._proposed(parent, idea, ""), "refused", reason=reason)

    def _proposed(self, parent: str, idea: str, prediction: str) -> int:
        self.proposals += 1
        self.archive.add_proposal(
            ProposalRecord(
                self.proposals, 0, "explain", "m", DIRECTIONS[0].name, (parent,), "", "", idea, "x = 1", 0.5, "asked", "", None,
                prediction=prediction,
            )
        )  # fmt: skip
        return self.proposals

    def _method(self, name: str, origin: str) -> None:
        source = SOURCE.format(name, len(self.truth))
        self.archive.add_method(MethodRecord(name, source, 200, name, origin, name, (), (len(self.truth) + 1,) * 64))

    def _judged(
        self, name: str, true: tuple[float, ...], number: int | None, origin: str, instances: int, agreement: float = 0.55
    ) -> None:
        self.truth[name] = true
        self._method(name, origin)
        measures = {"teacher_agreement": agreement, "size": 8.0}
        trials = tuple(
            Trial(
                name, "t", domain, i, Split.DEV, Status.OK, pgr.score(0.5 + 0.4 * value, 0.5, 0.9, 3000), measures, 1.0,
                errors={"right_where_teacher_right": 0.9, "right_where_teacher_wrong": 0.4},
            )
            for domain, value in zip(DOMAINS, true)
            for i in range(instances)
        )  # fmt: skip
        whole = instances == INSTANCES
        message = "" if whole else f"stopped by the race after {2 * instances} of {2 * INSTANCES} instances: 0.31 PGR behind"
        evaluation = Evaluation(name, trials, Status.OK, fmean(true) if whole else None, measures, message)
        self.archive.add_evaluation(evaluation, number, "+".join(DOMAINS), Split.DEV, interval_of(evaluation))

    def briefing(self, kind: DisclosureKind = "card") -> tuple[Listeners, Briefing]:
        """Return what a session that takes this archive up tells its operators."""
        state, islands = SearchState(partial(pgrs, self.archive)), Islands(1, GRID)
        selector, feedback = Selector(islands, [], [], DIRECTIONS, 1.0), Feedback(state, partial(source_of, self.archive))
        ablations = AblationQueue(state, lambda _: ())
        told = Listeners(state, islands, selector, feedback, ablations)
        restore(self.archive, told)
        disclosure = Disclosure(self.archive, DOMAINS, kind=kind)
        if kind == "ladder":
            for name in self.truth:
                trials = tuple(self.archive.trials(name, Split.DEV, "+".join(DOMAINS)))
                disclosure.judged(Evaluation(name, trials, Status.OK, state.known_fitness(name)))
        loaded: Mapping[str, operators.Operator] = {name: operators.load(name) for name in operators.TABLE}
        return told, Briefing(state, islands, feedback, disclosure, loaded, ablations)


def started(path: Path) -> Known:
    """Return an archive with a run and nothing in it."""
    archive = Archive.create(path)
    archive.add_run(RunRecord("r", "now", "t", "1", "v", "{}", 0, "running", "B", "0"))
    archive.add_direction(DIRECTIONS[0])
    return Known(archive, {})


def searched(path: Path, children: int = 40) -> Known:
    """Return an archive of a search: three baselines, and children that gain, miss, fall, crash, race or are refused."""
    made, rng = started(path), random.Random(5)
    for name, true in (("plain", (0.1, 0.0)), ("sure", (0.3, -0.1)), ("linear", (0.5, 0.2))):
        made.seed(name, *true)
    best = "linear"
    for number in range(1, children + 1):
        name, fate = f"child{number:02}", rng.random()
        parent = rng.choice([best, "plain", "sure"])
        true = tuple(min(1.0, max(-1.0, value + rng.gauss(0, 0.15))) for value in made.truth[parent])
        if fate < 0.1:
            made.child(name, parent, status=Status.CRASHED)
        elif fate < 0.2:
            made.refused(parent, f"idea of {name}")
        elif fate < 0.3:
            made.child(name, parent, *true, instances=2)
        else:
            better = fmean(true) > fmean(made.truth[best])
            made.child(name, parent, *true, placed=better, prediction=f"domain 1 rises for {name}")
            best = name if better else best
    return made


def choice(
    parent: str, *others: str, operator: str = "rewrite", model: str = "m", inspirations: tuple[str, ...] = ()
) -> Choice:
    """Return a choice of these parents."""
    return Choice(0, operator, model, DIRECTIONS[0], (parent, *others), inspirations, 0.0, 0.0)


def asked(brief: Brief, operator: str) -> str:
    """Return the first request of an operator about a brief."""
    if operator == "vary":
        return prompts.variation(brief)
    return prompts.prompt(brief, template(operator).safe_substitute(most=3, instances=2))
