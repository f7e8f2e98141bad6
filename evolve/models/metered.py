"""Charges one proposal's model calls to the budget: reserved before, paid after, answers stored at once, none bought twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archives.nouns import CallRecord, Usage
from evolve.budget import FREE, Budget
from evolve.errors import BudgetRefused, ModelError
from evolve.nouns import Model, Reply, UnusableAnswer


@dataclass
class UnavailableModel:
    """A model that cannot be asked."""

    name: str
    reason: str = "it takes no part in this run any more"

    def ask(self, system: str, prompt: str) -> Reply:
        """Raise ModelError with the reason."""
        raise ModelError(self.reason)

    def worst_case(self, system: str, prompt: str) -> Usage:
        """Return no cost."""
        return FREE


class BudgetedModel:
    """Stands between an operator and its model for the turns of one proposal.

    The first call's worst case is reserved by the engine, together with the evaluation; that of a further turn here.
    """

    def __init__(
        self,
        proposal: int,
        model: Model,
        budget: Budget,
        held: Usage | None,
        on_reply: Callable[[CallRecord], None],
        recorded: Sequence[CallRecord] = (),
    ) -> None:
        """`held` is what is reserved already; `recorded` are answers that arrived before the run was cut off."""
        self.name = model.name
        self._proposal, self._model, self._budget, self._on_reply = proposal, model, budget, on_reply
        self._held, self._recorded, self._turn = held, tuple(recorded), 0

    def ask(self, system: str, prompt: str) -> Reply:
        """Answer one turn, from what is recorded or from the model. Raises ModelError, also when the budget has no room."""
        self._turn += 1
        if self._turn <= len(self._recorded):
            call = self._recorded[self._turn - 1]
            if call.problem:
                raise UnusableAnswer(call.problem, Reply(call.reply, call.usage))
            return Reply(call.reply, call.usage)
        worst = self._reserve(system, prompt)
        try:
            reply = self._model.ask(system, prompt)
        except UnusableAnswer as error:
            self._pay(worst, error.reply, str(error))
            raise
        self._pay(worst, reply, "")
        return reply

    def worst_case(self, system: str, prompt: str) -> Usage:
        """Return the most that asking this can cost."""
        return self._model.worst_case(system, prompt)

    def close(self) -> None:
        """Give back what is still reserved."""
        if self._held is not None:
            self._budget.release(self._held)
            self._held = None

    def _reserve(self, system: str, prompt: str) -> Usage:
        if self._held is None:
            worst = self.worst_case(system, prompt)
            try:
                self._budget.hold(worst)
            except BudgetRefused as error:
                raise ModelError(str(error)) from None
            self._held = worst
        return self._held

    def _pay(self, worst: Usage, reply: Reply, problem: str) -> None:
        self._held = None
        self._budget.pay(worst, reply.usage)
        self._on_reply(CallRecord(self._proposal, self._turn, reply.text, problem, reply.usage, worst))
