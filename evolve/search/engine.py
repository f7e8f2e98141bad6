"""Takes each candidate once through the ten steps, from `begin` to `_recorded`.

One thread owns the archive, the grid and every choice; model calls, parsing and judging happen elsewhere and come back as
step results, in the order they end (loop.py). Every step is a line of the journal, so that a replay can repeat that order
(runs/replay.py); with one worker, and no model or one call at once of models that say the same again, it is fixed by the run's
seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from archives.ledger import reserved
from archives.nouns import CallRecord, ProposalRecord, Usage
from evolve.budget import FREE
from evolve.errors import BudgetRefused, ModelError
from evolve.executors.job import Job
from evolve.models.metered import BudgetedModel
from evolve.nouns import Brief, Draft, Tools, total
from evolve.screening.screen import Screened
from evolve.search.candidate import Candidate, asked, repeated
from evolve.search.context import RunContext, dev_instances
from evolve.search.parts import Parts
from evolve.search.pipeline import Pipeline, Step, StepResult
from evolve.selection.choice import Choice, Reward
from fitness.judge import Cancelled
from fitness.nouns import Evaluation, Method, Status

LATE = 0.8  # share of the budget after which no island is reset


class Engine:
    """The steps of one session of a run; what calls them, in which order, is a live search or a replay."""

    def __init__(self, context: RunContext, parts: Parts, pipeline: Pipeline) -> None:
        self._context, self._pipeline = context, pipeline
        self._config, self._archive, self._budget = context.config, context.archive, context.budget
        self._screen, self._stop = context.screen, context.judging.stop
        self._state, self._islands, self._selector = parts.state, parts.islands, parts.selector
        self._disclosure = parts.disclosure
        self._recorder, self._reporter, self._proposing = parts.recorder, parts.reporter, parts.proposing
        self.refused_in_a_row = 0  # refused proposals in a row
        self.number = parts.state.last_proposal

    # the steps of one candidate

    def begin(self) -> None:
        """Steps 1 to 4: choose what to ask, say it, reserve what it may cost, and let the operator make a child."""
        number = self.number + 1
        choice = self._select(number)
        brief = self._brief(choice)
        worst = self._proposing.worst_case(choice.model, brief)
        self._budget.reserve(worst)  # step 3
        self.number = number
        self._selector.used(choice)
        with self._archive.transaction():
            self._archive.add_proposal(asked(number, choice), worst)
            if choice.model:
                self._disclosure.prompted(choice.model, number, (*choice.parents, *choice.inspirations))
            self._archive.journal("select", number)
        self._propose(Candidate(number, choice), brief, worst, self._pipeline.replies(number))

    def complete(self, result_of_step: StepResult) -> None:
        """Move a candidate whose step has ended one step on."""
        steps: dict[Step, Callable[[Candidate, Any], None]]
        steps = {"propose": self._proposed, "screen": self._screened, "judge": self._judged, "probe": self._probed}
        candidate = result_of_step.candidate
        try:
            result = result_of_step.result()
        except Cancelled:
            self._budget.refund()
        except ModelError as error:
            if self._stop.is_set():
                self._proposing.put_off(candidate, error)
            else:
                self._proposing.unanswered(candidate, error)
        else:
            steps[result_of_step.step](candidate, result)

    def _select(self, number: int) -> Choice:
        """Step 1: an island, its parents and inspirations, an operator, a model, a direction."""
        rng = self._rng("select", number)
        asks = None if not self._context.models else rng.random() >= self._config.offline_share
        return self._selector.choose(number, asks, rng)

    def _brief(self, choice: Choice) -> Brief:
        """Step 2: what the operator is told."""
        exhibits = [self._recorder.exhibit(m) for m in (*choice.parents, *choice.inspirations)]
        parents, inspirations = exhibits[: len(choice.parents)], exhibits[len(choice.parents) :]
        return self._state.brief(choice, parents, inspirations)

    def _propose(self, candidate: Candidate, brief: Brief, held: Usage | None, recorded: Sequence[CallRecord]) -> None:
        """Step 4: let the operator make a child; an answer that a run paid for before it was cut off is used."""
        context, choice = self._context, candidate.choice
        if choice.model:
            model = self._proposing.model(choice.model)
            candidate.model = BudgetedModel(candidate.number, model, context.budget, held, self._pipeline.on_reply, recorded)
        operator, tools = context.operators[choice.operator], Tools(context.judging.worker, candidate.model, context.system)
        self._pipeline.begin(
            "propose", candidate, partial(operator.propose, brief, tools, self._rng("propose", candidate.number))
        )

    def _proposed(self, candidate: Candidate, draft: Draft) -> None:
        """Step 4, ended: once the draft is stored, the child goes to the screen."""
        self._proposing.keep(candidate, draft)
        if draft.direction is not None:
            self._budget.refund()
            self._learn(candidate)
        elif draft.source is None:
            self._refuse(candidate, draft.problem)
        else:
            self._pipeline.begin("screen", candidate, partial(self._screen.parse, draft.source))

    def _screened(self, candidate: Candidate, screened: Screened) -> None:
        """Step 5: what the screen found; duplicates are refused before anything is spent on judging them."""
        screened, archive = self._screen.unique(screened), self._archive
        with archive.transaction():
            archive.journal("screen", candidate.number)
            if screened.method is None:
                archive.set_proposal_state(candidate.number, "refused", reason=screened.reason)
            else:
                archive.add_method(screened.method)
                archive.set_proposal_state(candidate.number, "judging", method=screened.method.id)
        if screened.method is None:
            if not screened.duplicate:
                self._failed(candidate, screened.reason)
            self._refuse(candidate, screened.reason)
            return
        self.refused_in_a_row = 0
        self._screen.remember(screened.method)
        self._state.add_method(screened.method, candidate.choice.parents[0])
        self._selector.child(screened.method)
        self._submit(candidate, screened.method.method)

    def _submit(self, candidate: Candidate, method: Method) -> None:
        """Steps 6 to 8: hand the method to the executor, which judges it in a race with the fittest of its island."""
        instances, rival = dev_instances(self._config), self._recorder.rival(candidate.choice.island)
        self._pipeline.submit("judge", candidate, Job("evaluate", method, tuple(instances), tuple(rival)))

    def _judged(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Step 8, continued: a would-be elite is probed for hacks first."""
        if self._islands.would_place(evaluation, candidate.choice.island):
            self.probe(candidate, evaluation)
        else:
            self._recorded("judge", candidate, evaluation)

    def probe(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Step 8, continued: look for hacks. Until that has ended nothing is recorded: a run that is cut off judges again."""
        candidate.evaluation = evaluation
        method = self._state.methods[evaluation.method].method
        self._pipeline.submit("probe", candidate, Job("examine", method, trial=evaluation.trials[0]))

    def _probed(self, candidate: Candidate, examined: Evaluation) -> None:
        """Step 8, ended: the evaluation carries what the probes found."""
        assert candidate.evaluation is not None
        self._recorded("probe", candidate, replace(candidate.evaluation, findings=examined.findings))

    def _recorded(self, step: Step, candidate: Candidate, evaluation: Evaluation) -> None:
        """Steps 9 and 10: one transaction records whatever came of it, and places it."""
        choice, lost = candidate.choice, evaluation.status is Status.LOST
        with self._archive.transaction():
            self._recorder.record(evaluation, candidate.number, choice.parents)
            placement = self._recorder.place(evaluation, choice.island)
            gain = self._recorder.gain(evaluation, choice.parents[0]) if placement else 0.0
            state = {"state": "lost"} if lost else {"state": "done", "gain": gain}
            self._archive.set_proposal_state(candidate.number, placement=placement.name, **state)
            self._archive.journal(step, candidate.number)
        if lost:
            self._budget.refund()
            self._reporter.lost(evaluation)
            return
        self._budget.settle(len(evaluation.trials))
        self._learn(candidate, bool(placement), gain)
        if evaluation.status is Status.OK and not evaluation.flags:
            self._selector.judged(evaluation.method, candidate.number)
        if evaluation.status is not Status.OK:
            self._failed(candidate, f"{evaluation.status}: {evaluation.message}")
        self._state.judged_as(choice.parents, candidate.idea, evaluation, bool(placement))
        self._reporter.flags(evaluation)
        if placement and self._state.best == evaluation.method:
            self._reporter.best(evaluation, choice.operator, candidate.idea, choice.island)
        self._recorder.mix(self._budget.evals, self._budget.judged_share >= LATE)

    # where a candidate ends early

    def _refuse(self, candidate: Candidate, reason: str) -> None:
        self.refused_in_a_row += 1
        self._budget.refund()
        self._learn(candidate)
        self._state.refused(candidate.choice.parents, candidate.idea, reason)

    def _failed(self, candidate: Candidate, reason: str) -> None:
        """Keep a child that failed, so that a model may repair it."""
        source = candidate.draft.source if candidate.draft else None
        if source is not None:
            self._state.keep_broken(candidate.number, source, reason)
            self._selector.failed(candidate.choice, candidate.number)

    def _learn(self, candidate: Candidate, placed: bool = False, gain: float = 0.0) -> None:
        usage = candidate.draft.usage if candidate.draft else FREE
        method = candidate.evaluation.method if candidate.evaluation else ""
        self._selector.learn(candidate.choice, Reward(placed, gain, usage, method))

    # where it begins in the middle

    def take_up(self, record: ProposalRecord) -> None:
        """Go on with a candidate that was in flight when the run was cut off, if the budget still has room for it."""
        methods = self._state.methods
        choice = repeated(record, {direction.name: direction for direction in self._selector.directions})
        recorded = self._archive.calls(record.id)
        brief = self._brief(choice) if record.state == "asked" else None
        worst = self._proposing.worst_case(choice.model, brief) if brief and not recorded else FREE
        try:
            self._budget.reserve(worst)
        except BudgetRefused:
            return
        self._archive.journal("take up", record.id)
        usage = total(call.usage for call in recorded)
        candidate = Candidate(record.id, choice, Draft(record.source, record.idea, record.prompt, record.reply, usage))
        method = methods.get(record.method or "")
        if brief is not None:
            self._archive.set_proposal_state(record.id, "asked", **reserved(worst))
            self._propose(candidate, brief, None if recorded else worst, recorded)
        elif method is not None:
            self._submit(candidate, method.method)
        else:
            self._pipeline.begin("screen", candidate, partial(self._screen.parse, record.source or ""))

    def _rng(self, step: str, number: int) -> random.Random:
        return random.Random(f"{self._config.seed}/{step}/{number}")
