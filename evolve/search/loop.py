"""Runs a live search: begins candidates while there is room, and completes steps as they end, until the budget is used up."""

from __future__ import annotations

from collections.abc import Sequence

from archives.nouns import ProposalRecord, Records
from evolve.errors import BudgetRefused, ModelError
from evolve.executors.batch import IDLE, Batch
from evolve.executors.job import Job
from evolve.models import are_recorded
from evolve.observer import BREEDING
from evolve.search.context import RunContext, dev_instances
from evolve.search.engine import Engine
from evolve.search.parts import Parts
from evolve.search.pipeline import Arrived, LivePipeline
from fitness.judge import Cancelled

MOST_REFUSED = 200  # refused proposals in a row after which the search ends: nothing new can be made
AHEAD = 2  # candidates an evaluator has, its own included, while models are asked for more; more when a call takes longer
SLACK = 1.5  # how much longer than lately the next calls may take until an evaluator is idle for want of a candidate


class Loop:
    """One session of a run's search."""

    def __init__(self, context: RunContext, parts: Parts) -> None:
        self._config, self._archive, self._budget = context.config, context.archive, context.budget
        self._open_executor, self._stop = context.open_executor, context.judging.stop
        self._state, self._islands, self._selector = parts.listeners.state, parts.listeners.islands, parts.listeners.selector
        self._reporter, self._proposing, self._seeding = parts.reporter, parts.proposing, parts.seeding
        self.live = LivePipeline(context.open_executor, context.config.calls)
        self._engine = Engine(context, parts, self.live)
        self._in_turn = are_recorded([*context.models]) or context.config.workers == context.config.calls == 1

    def run(self, unfinished: Sequence[ProposalRecord] = ()) -> None:
        """Judge the seeds, take up what was in flight, then breed until the budget is used up or the run is stopped."""
        try:
            self._begin()
            for record in unfinished:
                self._engine.take_up(record)
            while not self._stop.is_set() and self._advance():
                self._receive(self.live.next(IDLE))
            self._harvest()
        except BaseException:
            self._stop.set()
            raise
        finally:
            self.live.close()

    def prepare(self) -> None:
        """Judge the seeds, and breed nothing."""
        try:
            self._begin()
        finally:
            self.live.close()

    def _begin(self) -> None:
        self._archive.journal("session", config=self._config.model_dump_json())
        self._judge_seeds()

    def _advance(self) -> bool:
        """Send off as many candidates as there is room for; False when the search is over."""
        while self._room():
            self._weigh()
            try:
                self._engine.begin()
            except BudgetRefused:  # the worst case of this very call; another may still end and leave more
                break
        self._reporter.standing(BREEDING)
        return bool(self.live.in_flight)

    def _weigh(self) -> None:
        """Have declared constants tuned while a call takes longer than an evaluation; not where a run repeats exactly."""
        if self._config.tuning == "auto" and not self._in_turn and self._selector.owes_tuning:
            self._engine.tune(self.live.outlasts >= 1)

    def _room(self) -> bool:
        """Tell whether another candidate may set off."""
        config, budget = self._config, self._budget
        if self._engine.refused_in_a_row >= MOST_REFUSED:
            if not self.live.in_flight:
                text = f"the last {MOST_REFUSED} proposals were all refused: nothing new can be made of these parents"
                self._reporter.event("barren", text)
            return False
        if budget.left < 1 or self._stop.is_set():
            return False
        if self._in_turn:  # nobody is waited for, or nothing is done meanwhile: with one worker a run repeats exactly
            return len(self.live.in_flight) < config.workers and self._affords()
        waiting = len(self.live.in_flight) - self.live.asking
        ahead = config.workers * max(AHEAD, 1 + SLACK * self.live.outlasts)
        return self.live.asking < config.calls and waiting < ahead and self._affords()

    def _affords(self) -> bool:
        """Tell whether the budget has room for the next model calls, and say so when it has none and the search ends."""
        affords = self._proposing.affordable()
        if not affords and not self.live.in_flight:
            self._reporter.event("note", "the budget has no room for another model call: the search ends here")
        return affords

    def _receive(self, arrived: Arrived) -> None:
        """Take in what has arrived; answers are stored before anything else is done."""
        if isinstance(arrived, Records):
            self._archive.keep(arrived)
        elif arrived is not None:
            if arrived.step in ("judge", "probe"):
                self._seeding.adopt()
            self._engine.complete(arrived)

    def _harvest(self) -> None:
        """After a stop, keep the replies of calls that are under way: they are paid for, and are screened on resume."""
        if self.live.asking:
            self._reporter.event(
                "note", f"waiting for {self.live.asking} model calls that are under way; Ctrl-C again gives them up"
            )
        while self.live.asking:
            arrived = self.live.next(IDLE)
            if isinstance(arrived, Records):
                self._archive.keep(arrived)
            elif arrived is not None and arrived.step == "propose":
                try:
                    self._proposing.keep(arrived.candidate, arrived.result())
                except ModelError as error:
                    self._proposing.put_off(arrived.candidate, error)
                except Cancelled:
                    self._proposing.leave(arrived.candidate)

    def _judge_seeds(self) -> None:
        """Judge every seed that has not been judged on all dev instances."""
        judged, seeds = self._state.judged, self._state.seeds
        todo = [m for m in seeds if m.id not in judged]
        batch = Batch(
            self._open_executor(),
            self._stop,
            lambda: self._reporter.standing("judging the seeds", len(judged & {m.id for m in seeds}), len(seeds)),
        )
        instances = tuple(dev_instances(self._config))
        for method, evaluation in batch.run((m, Job("certify", m.method, instances)) for m in todo):
            self._seeding.judged_seed(evaluation, method.name)
        self.live.waited += batch.waited
        if not any(self._islands) and not self._stop.is_set():
            raise BudgetRefused("none of the seeds could be judged: see `python -m evolve status`, and `evolve doctor`")
