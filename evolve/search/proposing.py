"""Prices the model calls of step 4, stores their drafts, and stops asking a model that stays silent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from archives.ledger import reserved
from archives.nouns import Usage
from evolve.budget import FREE
from evolve.errors import ModelError
from evolve.models.metered import UnavailableModel
from evolve.nouns import Brief, Draft, Model
from evolve.prompting.disclosure import Disclosure
from evolve.prompting.prompts import longest
from evolve.search.candidate import Candidate
from evolve.search.context import RunContext
from evolve.search.reporter import Reporter
from evolve.selection.selector import Selector
from fitness.nouns import Direction

OUTAGES = 8  # calls of one model in a row that fail after all their retries, after which it is asked no more


class Proposing:
    """What operators and their models bring in one session, or do not."""

    def __init__(self, context: RunContext, selector: Selector, disclosure: Disclosure, reporter: Reporter) -> None:
        self._archive, self._budget = context.archive, context.budget
        self._models, self._system = context.models, context.system
        self._selector, self._disclosure, self._reporter = selector, disclosure, reporter
        self._outages: Counter[str] = Counter()  # unanswered calls of each model in a row
        self._told: set[str] = set()
        # of one call, so far
        self._dearest = {spec: model.worst_case(context.system, "") for spec, model in context.models.items()}

    def model(self, name: str) -> Model:
        """Return a model; one that a resumed run was begun with may take no part any more."""
        return self._models.get(name) or UnavailableModel(name)

    def worst_case(self, model: str, brief: Brief) -> Usage:
        """Return the worst case of the first call about a brief."""
        if not model:
            return FREE
        worst = self.model(model).worst_case(self._system, longest(brief))
        self._dearest[model] = max(worst, self._dearest.get(model, FREE), key=lambda usage: usage.tokens_in)
        return worst

    def affordable(self) -> bool:
        """Tell whether the budget has room for a call of every model that may be asked next."""
        likely = [worst for spec, worst in self._dearest.items() if self._outages[spec] < OUTAGES]
        return all(map(self._budget.affords, likely))

    def keep(self, candidate: Candidate, draft: Draft) -> None:
        """Store what an operator made, in full, and who saw its experiments; answers and experiments are stored already."""
        _close(candidate)
        candidate.draft = draft
        self._outages[candidate.choice.model] = 0
        done = draft.direction is not None or self._selector.ablates(candidate.choice)
        state = "proposed" if draft.source is not None else "done" if done else "refused"
        with self._archive.transaction():
            self._archive.set_proposal_state(
                candidate.number, state, prompt=draft.prompt, reply=draft.reply, idea=draft.idea, source=draft.source,
                prediction=draft.prediction, reason=draft.problem, **reserved(FREE),
            )  # fmt: skip
            if draft.direction is not None:
                candidate.draft = replace(draft, direction=self._added(draft.direction, candidate))
            if candidate.experiments is not None:
                self._disclosure.tried(candidate.choice.model, candidate.number, candidate.experiments.records)
            self._archive.journal("propose", candidate.number)

    def _added(self, direction: Direction, candidate: Candidate) -> Direction:
        """Store a new direction under a name that no other has, and return it."""
        if any(known.name == direction.name for known in self._selector.directions):
            direction = replace(direction, name=f"{direction.name}-{candidate.number}")
        self._archive.add_direction(direction, candidate.number)
        self._reporter.event("direction", f"a new direction, {direction.name}: {direction.text}", candidate.choice.island)
        return direction

    def leave(self, candidate: Candidate) -> None:
        """Leave a proposal where it is when the run is stopping: it is asked again on resume, but for what was paid for."""
        _close(candidate)
        self._archive.set_proposal_state(candidate.number, "asked", **reserved(FREE))

    def put_off(self, candidate: Candidate, error: ModelError) -> None:
        """Leave a proposal without an answer when the run is stopping, and say why there is none."""
        self.leave(candidate)
        self._tell(f"{candidate.choice.model} did not answer: {error}")

    def _tell(self, sentence: str) -> None:
        """Say what went wrong with a model, but not again as long as it stays the same; each proposal keeps its own reason."""
        if sentence not in self._told:
            self._told.add(sentence)
            self._reporter.event("model", sentence)

    def unanswered(self, candidate: Candidate, error: ModelError) -> None:
        """Go on when a model did not answer; nothing was paid. One that keeps failing is asked no more.

        Raises ModelError when no model is left.
        """
        name = candidate.choice.model
        _close(candidate)
        with self._archive.transaction():
            self._archive.set_proposal_state(candidate.number, "unanswered", reason=str(error))
            self._archive.journal("propose", candidate.number)
        self._budget.refund()
        self._outages[name] += 1
        self._tell(f"{name} did not answer: {error}")
        if self._outages[name] != OUTAGES:
            return
        self._selector.retire(name)
        self._reporter.event("model", f"{name} is asked no more in this session: {OUTAGES} calls in a row failed")
        if all(self._outages[spec] >= OUTAGES for spec in self._models):
            again = f"python -m evolve resume --db {self._archive.path}"
            raise ModelError(f"{error} ({OUTAGES} calls in a row failed; when it answers again: {again})")


def _close(candidate: Candidate) -> None:
    if candidate.model is not None:
        candidate.model.close()
