"""Takes each candidate once through the ten steps, from `begin` to `_recorded`.

One thread owns the archive, the grid and every choice; model calls, parsing and judging happen elsewhere and come back as
step results, in the order they end (loop.py). Every step is a line of the journal, so that a replay can repeat that order
(runs/replay.py); with one worker, and no model or one call at once of models that say the same again, it is fixed by the run's
seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from archives.ledger import reserved
from archives.nouns import ExperimentRecord, Placement, ProposalRecord, Records, Usage
from evolve.budget import FREE
from evolve.errors import BudgetRefused, ModelError
from evolve.executors.job import Job
from evolve.models.metered import BudgetedModel
from evolve.nouns import Brief, Draft, Tools, experimenting, total
from evolve.screening.screen import Screened
from evolve.search.candidate import Candidate, Ended, repeated
from evolve.search.context import RunContext, dev_instances
from evolve.search.experiments import INSTANCES, Experiments
from evolve.search.feedback import failure, problem_of
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
        self._state, self._islands = parts.listeners.state, parts.listeners.islands
        self._selector, self._briefing, self._disclosure = parts.listeners.selector, parts.briefing, parts.disclosure
        self._ablations = parts.listeners.ablations
        self._recorder, self._reporter, self._proposing = parts.recorder, parts.reporter, parts.proposing
        self.refused_in_a_row = 0  # refused proposals in a row
        self._tunes = self._config.tuning == "always"

    # the steps of one candidate

    def begin(self) -> None:
        """Steps 1 to 4: choose what to ask, say it, reserve what it may cost, and let the operator make a child."""
        number = self._state.last_proposal + 1
        choice = self._select(number)
        brief = self._briefing.brief(number, choice)  # step 2
        worst = self._proposing.worst_case(choice.model, brief)
        self._budget.reserve(worst)  # step 3
        with self._archive.transaction():
            self._recorder.asked(number, choice, worst, brief.methods)
            self._archive.journal("select", number)
        self._propose(Candidate(number, choice), brief, worst, self._pipeline.recorded(number))

    def complete(self, result_of_step: StepResult) -> None:
        """Move a candidate whose step has ended one step on."""
        steps: dict[Step, Callable[[Candidate, Any], None]]
        steps = {"propose": self._proposed, "screen": self._screened, "judge": self._judged, "probe": self._probed}
        candidate = result_of_step.candidate
        try:
            result = result_of_step.result()
        except Cancelled:
            self._budget.refund()
            if result_of_step.step == "propose":
                self._proposing.leave(candidate)
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
        may, record = self._may_experiment(), self._ablations.owed()
        return self._selector.choose(number, asks, rng, may, record, self._tunes)

    def tune(self, on: bool) -> None:
        """Tune declared constants from now on, or do not: that follows from the clock, so the journal says it to a replay."""
        if on != self._tunes:
            self._tunes = on
            self._archive.journal("tune", config=json.dumps(on))

    def _may_experiment(self) -> bool:
        """Tell whether experiments have had less than their share beside the trials of children; the same in a replay."""
        return self._state.experimented < self._config.experiments * self._budget.trials

    def _propose(self, candidate: Candidate, brief: Brief, held: Usage | None, recorded: Records) -> None:
        """Step 4: let the operator make a child; an answer that a run paid for before it was cut off is used."""
        context, choice = self._context, candidate.choice
        if choice.model:
            model = self._proposing.model(choice.model)
            candidate.model = BudgetedModel(candidate.number, model, context.budget, held, self._pipeline.keep, recorded.calls)
        if brief.ablations and (known := self._ablations.known()) is not None:
            self._disclosure.parts_prompted(choice.model, known.proposal, known.method, known.experiments)
        operator, judging = context.operators[choice.operator], context.judging
        if experimenting(operator):
            candidate.experiments = self._experiments(candidate.number, choice, recorded.experiments)
        tools = Tools(judging.worker, candidate.model, context.system, judging.task.grammar, candidate.experiments)
        self._pipeline.begin(
            "propose", candidate, partial(operator.propose, brief, tools, self._rng("propose", candidate.number))
        )

    def _experiments(self, number: int, choice: Choice, recorded: Sequence[ExperimentRecord]) -> Experiments:
        """Return what tries variants of the first parent."""
        subject, instances = choice.parents[0], dev_instances(self._config)[: INSTANCES * len(self._config.domains)]
        return Experiments(
            number, subject, instances, self._state.pgrs(subject), self._screen, self._budget,
            self._pipeline.experiment, self._pipeline.keep, self._disclosure.variants(subject), recorded,
        )  # fmt: skip

    def _proposed(self, candidate: Candidate, draft: Draft) -> None:
        """Step 4, ended: once the draft is stored, the child goes to the screen."""
        self._proposing.keep(candidate, draft)
        if candidate.experiments is not None:
            self._state.experimented += candidate.experiments.trials
        if draft.direction is not None or (draft.source is None and self._selector.ablates(candidate.choice)):
            self._budget.refund()
            made = candidate.draft.direction if candidate.draft else None
            reward = Reward(False, 0.0, candidate.usage)
            self._recorder.ended(Ended(candidate.number, candidate.choice, reward, direction=made))
        elif draft.source is None:
            self._refuse(candidate, draft.problem)
        else:
            self._pipeline.begin("screen", candidate, partial(self._screen.parse, draft.source))

    def _screened(self, candidate: Candidate, screened: Screened) -> None:
        """Step 5: what the screen found; duplicates are refused before anything is spent on judging them."""
        screened = self._screen.unique(screened)
        method, choice = screened.method, candidate.choice
        with self._archive.transaction():
            self._archive.journal("screen", candidate.number)
            if method is None:
                self._refuse(candidate, screened.reason, broken=not screened.duplicate)
            else:
                self._recorder.passed(candidate.number, method, choice.parents[0])
        if method is not None:
            self.refused_in_a_row = 0
            self._screen.remember(method)
            self._submit(candidate, method.method)

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
        self._pipeline.submit("probe", candidate, Job("inspect", method, trials=evaluation.trials))

    def _probed(self, candidate: Candidate, examined: Evaluation) -> None:
        """Step 8, ended: the evaluation carries what the probes found."""
        assert candidate.evaluation is not None
        self._recorded("probe", candidate, replace(candidate.evaluation, findings=examined.findings))

    def _recorded(self, step: Step, candidate: Candidate, evaluation: Evaluation) -> None:
        """Steps 9 and 10: one transaction records whatever came of it, and places it."""
        number, choice, budget = candidate.number, candidate.choice, self._budget
        with self._archive.transaction():
            self._recorder.judged(evaluation, number, choice.parents)
            placement = self._recorder.place(evaluation, choice.island)
            if evaluation.status is Status.LOST:
                self._archive.set_proposal_state(number, "lost", placement=placement.name)
            else:
                self._recorder.ended(self._ended(candidate, evaluation, placement))
            self._archive.journal(step, number)
        if evaluation.status is Status.LOST:
            budget.refund()
            self._reporter.lost(evaluation)
            return
        budget.settle(len(evaluation.trials))
        self._reporter.flags(evaluation)
        if placement and self._state.best == evaluation.method:
            self._reporter.best(evaluation, choice.operator, candidate.idea, choice.island)
        self._recorder.mix(budget.evals, budget.judged_share >= LATE)

    def _ended(self, candidate: Candidate, evaluation: Evaluation, placement: Placement) -> Ended:
        """Return what a judged child came to."""
        choice, idea, method = candidate.choice, candidate.idea, evaluation.method
        problem = problem_of(evaluation.status, evaluation.message)
        gain = self._recorder.gain(evaluation, self._surpassed(choice)) if placement else 0.0
        reason = failure(problem, " ".join(evaluation.flags), bool(placement))
        reward = Reward(bool(placement), gain, candidate.usage, method)
        return Ended(
            candidate.number, choice, reward, "done", idea, reason, bool(problem), placement, None, candidate.prediction
        )

    def _surpassed(self, choice: Choice) -> list[str]:
        """Return what a child has to be fitter than to have gained anything: its first parent.

        One whose constants were tuned has to surpass the parent of the child that declares them, too: the gains of the two add
        up, and who wrote the child is not paid for what it lost first.
        """
        first = choice.parents[0]
        before = self._state.born(first)[1] if self._selector.tunes(choice) else None
        return [first, before] if before is not None else [first]

    def _refuse(self, candidate: Candidate, reason: str, broken: bool = False) -> None:
        """End a candidate that is no method; a model may repair one that is `broken`."""
        self.refused_in_a_row += 1
        self._budget.refund()
        reward = Reward(False, 0.0, candidate.usage)
        told = candidate.idea, reason, broken, None, None, candidate.prediction
        self._recorder.ended(Ended(candidate.number, candidate.choice, reward, "refused", *told))

    # where it begins in the middle

    def take_up(self, record: ProposalRecord) -> None:
        """Go on with a candidate that was in flight when the run was cut off, if the budget still has room for it."""
        methods = self._state.methods
        choice = repeated(record, {direction.name: direction for direction in self._selector.directions})
        recorded = self._archive.records(record.id)
        brief = self._briefing.brief(record.id, choice) if record.state == "asked" else None
        worst = self._proposing.worst_case(choice.model, brief) if brief and not recorded.calls else FREE
        try:
            self._budget.reserve(worst)
        except BudgetRefused:
            return
        self._archive.journal("take up", record.id)
        usage = total(call.usage for call in recorded.calls)
        drafted = Draft(record.source, record.idea, record.prompt, record.reply, prediction=record.prediction)
        candidate = Candidate(record.id, choice, replace(drafted, usage=usage))
        method = methods.get(record.method or "")
        if brief is not None:
            self._archive.set_proposal_state(record.id, "asked", **reserved(worst))
            self._propose(candidate, brief, None if recorded.calls else worst, recorded)
        elif method is not None:
            self._submit(candidate, method.method)
        else:
            self._pipeline.begin("screen", candidate, partial(self._screen.parse, record.source or ""))

    def _rng(self, step: str, number: int) -> random.Random:
        return random.Random(f"{self._config.seed}/{step}/{number}")
