"""The search: each candidate goes once round the ten steps, from `_select` to `_judged`.

One thread owns the archive, the grid and every choice; model calls, parsing and judging happen elsewhere and come back as
futures. With one worker and no model the order of everything is fixed by the run's seed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

from archives.nouns import ProposalRecord, Usage
from evolve import executors
from evolve.batch import Batch
from evolve.errors import BudgetRefused, ModelError
from evolve.lab import IDLE, Lab, dev_instances
from evolve.memory import Memory
from evolve.nouns import Brief, Draft, Failure, short
from evolve.population import Population
from evolve.screen import Screened
from evolve.select import Choice, Lesson, Selector
from evolve.telling import Teller
from fitness.judge import Cancelled
from fitness.nouns import Evaluation, Finding, Method, Status

BARREN = 200  # refused proposals in a row after which the search ends: nothing new can be made
OUTAGES = 8  # model calls in a row that fail after all their retries, after which the run stops
REMEMBERED = 4  # failures shown in a brief
LATE = 0.8  # share of the budget after which no island is reset


@dataclass
class Candidate:
    """A child somewhere on the road: what was chosen, and what has come of it so far."""

    number: int
    choice: Choice
    draft: Draft | None = None
    evaluation: Evaluation | None = None

    @property
    def idea(self) -> str:
        """What was changed, in one line."""
        return (self.draft.idea if self.draft else "") or self.choice.operator


class Search:
    """One run's search."""

    def __init__(self, lab: Lab, selector: Selector, memory: Memory) -> None:
        self.lab, self.selector, self.memory = lab, selector, memory
        self.teller = Teller(lab, memory, selector)
        self.population = Population(lab.archive, lab.grid, selector, memory, lab.config, self.teller.event)
        self.judging = executors.load(lab.config.executor, lab.config.workers)
        self.calling = ThreadPoolExecutor(lab.config.calls, thread_name_prefix="propose")
        self.flying: dict[Future[Any], tuple[str, Candidate]] = {}
        self.waiting = 0.0  # seconds spent waiting for others; the rest is the engine's own share
        self.barren = self.outages = 0  # refused proposals, and unanswered calls, in a row
        self.number = memory.last_proposal

    def run(self, unfinished: Sequence[ProposalRecord] = ()) -> None:
        """Judge the seeds, take up what was in flight, then breed until the budget is used up or the run is stopped."""
        try:
            self._judge_seeds()
            for record in unfinished:
                self._take_up(record)
            while not self.lab.bench.stop.is_set() and self._advance():
                self._land()
            self._harvest()
        except BaseException:
            self.lab.bench.stop.set()
            raise
        finally:
            self.calling.shutdown(wait=False, cancel_futures=True)
            self.judging.close()

    # the road of one candidate

    def _advance(self) -> bool:
        """Send off as many candidates as there is room for; False when the search is over."""
        while self._room():
            candidate = self._select()
            brief = self._brief(candidate.choice)
            self.lab.budget.reserve()  # step 3
            self._fly("propose", candidate, self._propose(candidate, brief))
        self.teller.standing("breeding")
        return bool(self.flying)

    def _land(self) -> None:
        """Wait for something to finish, and move each finished candidate one step on."""
        steps: dict[str, Callable[[Candidate, Any], None]]
        steps = {"propose": self._proposed, "screen": self._screened, "judge": self._judged, "probe": self._probed}
        for future in sorted(self._wait(self.flying), key=lambda f: self.flying[f][1].number):
            step, candidate = self.flying.pop(future)
            try:
                result = future.result()
            except Cancelled:
                self.lab.budget.refund()
            except ModelError as error:
                self._unanswered(candidate, error)
            else:
                steps[step](candidate, result)

    def _select(self) -> Candidate:
        """Step 1: an island, its parents and inspirations, an operator, a model, a direction."""
        self.number += 1
        rng = self._rng("select", self.number)
        model = None if not self.lab.models else rng.random() >= self.lab.config.offline_share
        candidate = Candidate(self.number, self.selector.choose(self.number, model, rng))
        self.selector.used(candidate.choice)
        return candidate

    def _brief(self, choice: Choice) -> Brief:
        """Step 2: what the operator is told."""
        if choice.model:
            self.population.disclosure.prompted(choice.model, self.number, (*choice.parents, *choice.inspirations))
        exhibits = [self.population.exhibit(m) for m in (*choice.parents, *choice.inspirations)]
        parents, inspirations = exhibits[: len(choice.parents)], exhibits[len(choice.parents) :]
        failures = tuple(Failure(*pair) for pair in self.memory.failures(choice.parents, REMEMBERED))
        return Brief(choice.direction, tuple(parents), tuple(inspirations), failures)

    def _propose(self, candidate: Candidate, brief: Brief) -> Future[Draft]:
        """Step 4: let the operator make a child; step 3, the reservation, came before."""
        operator, tools = self.lab.operators[candidate.choice.operator], self.lab.tools(candidate.choice.model)
        return self.calling.submit(operator.propose, brief, tools, self._rng("propose", candidate.number))

    def _proposed(self, candidate: Candidate, draft: Draft) -> None:
        """Step 4, continued: once the reply is stored, the child goes to the screen."""
        self._store_draft(candidate, draft)
        self.outages = 0
        if draft.usage.calls:
            self.lab.budget.pay(draft.usage.usd)
        if draft.source is None:
            self._refuse(candidate, draft.problem)
        else:
            self._fly("screen", candidate, self.calling.submit(self.lab.screen.parse, draft.source))

    def _screened(self, candidate: Candidate, screened: Screened) -> None:
        """Step 5: what the screen found; duplicates are refused before anything is spent on judging them."""
        screened = self.lab.screen.unique(screened)
        if screened.method is None:
            self.lab.archive.settle_proposal(candidate.number, "refused", reason=screened.reason)
            self._refuse(candidate, screened.reason)
            return
        self.barren = 0
        with self.lab.archive.transaction():
            self.lab.archive.add_method(screened.method)
            self.lab.archive.settle_proposal(candidate.number, "judging", method=screened.method.id)
        self.lab.screen.remember(screened.method)
        self.memory.add_method(screened.method)
        self.selector.sketches[screened.method.id] = screened.method.sketch
        self._submit(candidate, screened.method.method)

    def _submit(self, candidate: Candidate, method: Method) -> None:
        """Steps 6 to 8: hand the method to the executor, which runs and judges it against its cell's elite."""
        island, config, judge = candidate.choice.island, self.lab.config, self.lab.bench.judge

        def work() -> Evaluation:
            return judge.evaluate(method, dev_instances(config), lambda m: self.population.rival(island, m))

        self._fly("judge", candidate, self.judging.submit(work))

    def _judged(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Step 8, continued: a would-be elite is probed for hacks first."""
        if not self.population.would_place(evaluation, candidate.choice.island):
            self._recorded(candidate, evaluation)
            return
        candidate.evaluation = evaluation
        method, judge = self.memory.methods[evaluation.method].method, self.lab.bench.judge
        self._fly("probe", candidate, self.judging.submit(lambda: judge.examine(method, evaluation.trials[0])))

    def _probed(self, candidate: Candidate, findings: tuple[Finding, ...]) -> None:
        """Step 8, ended: the evaluation carries what the probes found."""
        assert candidate.evaluation is not None
        self._recorded(candidate, replace(candidate.evaluation, findings=findings))

    def _recorded(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Steps 9 and 10: one transaction records whatever came of it, and places it."""
        choice, lost = candidate.choice, evaluation.status is Status.LOST
        with self.lab.archive.transaction():
            self.population.record(evaluation, candidate.number, choice.parents)
            placement = self.population.place(evaluation, choice.island)
            self.lab.archive.settle_proposal(candidate.number, "lost" if lost else "done", placement=placement.name)
        if lost:
            self.lab.budget.refund()
            blameless = f"{short(evaluation.method)} was lost three times, not by its own fault"
            self.teller.event("lost", f"{blameless}: {evaluation.message}")
            return
        self.lab.budget.settle()
        if evaluation.status is not Status.OK:
            self.memory.failed(choice.parents, candidate.idea, f"{evaluation.status}: {evaluation.message}")
        if evaluation.flags:
            self.memory.failed(choice.parents, candidate.idea, f"flagged by {' '.join(evaluation.flags)}")
            self.teller.flags(evaluation)
        usage = candidate.draft.usage if candidate.draft else Usage()
        self.selector.learn(choice, Lesson(bool(placement), self.population.gain(evaluation, choice.parents[0]), usage))
        if placement and self.memory.best == evaluation.method:
            self.teller.best(evaluation, choice.operator, candidate.idea, choice.island)
        for method in self.population.adopt():
            self.lab.screen.remember(method)
        self.population.mix(self.lab.budget.evals, self.lab.budget.spent_share >= LATE)

    # parts of steps

    def _room(self) -> bool:
        """Tell whether another candidate may set off."""
        config = self.lab.config
        limit = config.workers + (config.calls if self.lab.models else 0)
        barren = self.barren >= BARREN
        if barren and not self.flying:
            text = f"the last {BARREN} proposals were all refused: nothing new can be made of these parents"
            self.teller.event("barren", text)
        return not barren and len(self.flying) < limit and self.lab.budget.left >= 1 and not self.lab.bench.stop.is_set()

    def _fly(self, step: str, candidate: Candidate, future: Future[Any]) -> None:
        self.flying[future] = (step, candidate)

    def _wait(self, futures: Sequence[Future[Any]] | dict[Future[Any], Any]) -> set[Future[Any]]:
        """Wait a moment for some of the futures; the time does not count as the engine's own."""
        before = time.monotonic()
        done, _ = wait(futures, timeout=IDLE, return_when=FIRST_COMPLETED)
        self.waiting += time.monotonic() - before
        return done

    def _store_draft(self, candidate: Candidate, draft: Draft) -> None:
        """Store a reply and its cost the moment they arrive: whatever happens next, nothing that was paid for is lost."""
        candidate.draft = draft
        choice = candidate.choice
        record = ProposalRecord(
            id=candidate.number,
            island=choice.island,
            operator=choice.operator,
            model=choice.model,
            direction=choice.direction.name,
            parents=choice.parents,
            prompt=draft.prompt,
            reply=draft.reply,
            idea=draft.idea,
            source=draft.source,
            novelty=choice.novelty,
            state="refused" if draft.source is None else "proposed",
            reason=draft.problem,
            method=None,
        )
        self.lab.archive.add_proposal(record, draft.usage)

    def _refuse(self, candidate: Candidate, reason: str) -> None:
        self.barren += 1
        self.lab.budget.refund()
        self.memory.refused(candidate.choice.parents, candidate.idea, reason)

    def _unanswered(self, candidate: Candidate, error: ModelError) -> None:
        """Go on when a model did not answer; nothing was paid. Raises ModelError when it keeps happening."""
        self.lab.budget.refund()
        self.outages += 1
        self.teller.event("model", f"{candidate.choice.model} did not answer: {error}")
        if self.outages >= OUTAGES:
            again = f"python -m evolve resume --db {self.lab.archive.path}"
            raise ModelError(f"{error} ({OUTAGES} calls in a row failed; when it answers again: {again})")

    def _harvest(self) -> None:
        """After a stop, keep the replies of calls that are under way: they are paid for, and are screened on resume."""
        calls = {f: c for f, (step, c) in self.flying.items() if step == "propose" and c.choice.model}
        if calls:
            self.teller.event("note", f"waiting for {len(calls)} model calls that are under way; Ctrl-C again gives them up")
        for future, candidate in calls.items():
            try:
                self._store_draft(candidate, future.result())
            except ModelError as error:
                self.teller.event("model", f"{candidate.choice.model} did not answer: {error}")

    def _take_up(self, record: ProposalRecord) -> None:
        """Go on with a candidate that was in flight when the run was cut off, if the budget still has room for it."""
        if self.lab.budget.left < 1:
            return
        draft = Draft(record.source, record.idea, record.prompt, record.reply)
        candidate = Candidate(record.id, self.memory.choice(record, self.selector), draft)
        self.lab.budget.reserve()
        method = self.memory.methods.get(record.method or "")
        if method is not None:
            self._submit(candidate, method.method)
        else:
            self._fly("screen", candidate, self.calling.submit(self.lab.screen.parse, record.source or ""))

    # the seeds

    def _judge_seeds(self) -> None:
        """Judge every seed that has not been judged on all dev instances, and place it on every island."""
        todo, config = [m for m in self.memory.seeds if m.id not in self.memory.judged], self.lab.config
        judged, seeds = self.memory.judged, len(self.memory.seeds)
        batch = Batch(self.lab, lambda: self.teller.standing(f"judging the human baselines, {len(judged)} of {seeds}"))
        judge, instances = self.lab.bench.judge, dev_instances(config)
        for method, evaluation in batch.run(todo, lambda m: judge.certify(m.method, instances)):
            self._seed_judged(evaluation, method.name)
        self.waiting += batch.waited
        if not any(self.selector.elites) and not self.lab.bench.stop.is_set():
            raise BudgetRefused("none of the seeds could be judged: see `python -m evolve status`, and `evolve doctor`")

    def _seed_judged(self, evaluation: Evaluation, name: str) -> None:
        with self.lab.archive.transaction():
            self.population.record(evaluation, None)
            for island in range(self.selector.islands):
                self.population.place(evaluation, island)
        self.teller.seed(name, evaluation)
        self.teller.flags(evaluation)

    def _rng(self, step: str, number: int) -> random.Random:
        return random.Random(f"{self.lab.config.seed}/{step}/{number}")
