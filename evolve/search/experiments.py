"""Tries variants beside the search: what an operator learns on a few dev instances before it makes its child.

A variant is no method of the run: it has no fitness, no cell, and no place in the leaderboard. Every experiment is recorded the
moment it ended, and is answered from the record in a replay, and when a proposal that was cut off is taken up again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future

from archives.nouns import ExperimentRecord
from evolve.budget import Budget
from evolve.executors.job import Job
from evolve.nouns import Experiment, Variant
from evolve.screening.screen import Screen
from evolve.text import printable_line
from fitness.judge import Cancelled
from fitness.nouns import Evaluation, Status
from fitness.vault.instance import InstanceName

INSTANCES = 2  # dev instances of each search domain that a variant is tried on
MOST = 16  # variants of one proposal
LABEL = 200  # characters of what is different about a variant
Begun = ExperimentRecord | Future[Evaluation]


class Experiments:
    """The experiments of one proposal, asked for in whichever thread its operator runs.

    Args:
        subject: the method that is varied.
        names: instances that variants are tried on, in order; `rival`: the PGRs of the first parent on them.
        submit: hands a job to whoever judges.
        keep: records an experiment that has ended.
        card: what may be told of a variant's evaluation.
        recorded: experiments that ended before the run was cut off, or in the run that is replayed.
    """

    instances = INSTANCES

    def __init__(
        self,
        proposal: int,
        subject: str,
        names: Sequence[InstanceName],
        rival: Sequence[float],
        screen: Screen,
        budget: Budget,
        submit: Callable[[Job], Future[Evaluation]],
        keep: Callable[[ExperimentRecord], None],
        card: Callable[[Evaluation], str],
        recorded: Sequence[ExperimentRecord] = (),
    ) -> None:
        self._proposal, self._subject = proposal, subject
        self._names, self._rival = tuple(names), tuple(rival[: len(names)])
        self._screen, self._budget, self._submit, self._keep, self._card = screen, budget, submit, keep, card
        self._recorded = list(recorded)
        self.records: list[ExperimentRecord] = []

    @property
    def trials(self) -> int:
        """On how many instances its variants were run."""
        return sum(len(record.trials) for record in self.records)

    def run(self, variants: Sequence[Variant], race: bool = True) -> tuple[Experiment, ...]:
        """Try variants side by side. Raises Cancelled when the run is stopping."""
        chosen = [Variant(printable_line(v.label, LABEL), v.source) for v in variants[: MOST - len(self.records)]]
        begun = [self._begin(variant, race) for variant in chosen]
        return tuple(self._ended(variant, one) for variant, one in zip(chosen, begun))

    def _begin(self, variant: Variant, race: bool) -> Begun:
        """Return the record of a variant that was tried before, or is refused; else begin to judge it."""
        for place, record in enumerate(self._recorded):
            if (record.label, record.source) == (variant.label, variant.source):
                return self._recorded.pop(place)
        screened = self._screen.parse(variant.source)
        if screened.method is None:
            return self._new(variant, Evaluation("", (), Status.INVALID, None, message=screened.reason))
        return self._submit(Job("evaluate", screened.method.method, self._names, self._rival if race else ()))

    def _ended(self, variant: Variant, begun: Begun) -> Experiment:
        """Wait for what comes of a variant, and return it."""
        try:
            record = begun if isinstance(begun, ExperimentRecord) else self._new(variant, begun.result())
        except CancelledError:
            raise Cancelled from None
        self.records.append(record)
        found = Evaluation(record.method, record.trials, record.status, None, message=record.message)
        judged = bool(record.trials)
        return Experiment(variant, found if judged else None, record.message, self._card(found) if judged else "")

    def _new(self, variant: Variant, found: Evaluation) -> ExperimentRecord:
        """Record what came of a variant, and count its trials."""
        record = ExperimentRecord(
            self._proposal, self._subject, variant.label, found.method, variant.source, found.status,
            found.message, found.trials,
        )  # fmt: skip
        self._budget.experimented(len(record.trials))
        self._keep(record)
        return record
