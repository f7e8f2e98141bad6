"""The search: each candidate goes once round the ten steps of `Search.advance`, `Search._land` and the methods they name.

One thread owns the archive, the grid and every choice; model calls, parsing and judging happen elsewhere and come back as
futures. With one worker and no model the order of everything is fixed by the run's seed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from archives.nouns import Elite, Placement, ProposalRecord, Spend
from evolve import executors
from evolve.errors import BudgetRefused, ModelError
from evolve.lab import Lab
from evolve.memory import Memory
from evolve.nouns import Brief, Draft, Exhibit, Failure, short
from evolve.screen import Screened
from evolve.select import Choice, Selector
from evolve.watch import Snapshot
from fitness import pgr
from fitness.judge import Cancelled
from fitness.nouns import Evaluation, Method, Split, Status

IDLE = 0.2  # seconds between looks at the clock and the stop flag while nothing finishes
BARREN = 200  # refused proposals in a row after which the search ends: nothing new can be made
OUTAGES = 8  # model calls in a row that fail after all their retries, after which the run stops
REMEMBERED = 4  # failures shown in a brief


@dataclass
class Candidate:
    """A child somewhere on the road: what was chosen, and what has come of it so far."""

    number: int
    choice: Choice
    draft: Draft | None = None
    screened: Screened | None = None


class Search:
    """One run's search."""

    def __init__(self, lab: Lab, selector: Selector, memory: Memory) -> None:
        self.lab, self.selector, self.memory = lab, selector, memory
        self.judging = executors.load(lab.config.executor, lab.config.workers)
        self.calling = ThreadPoolExecutor(lab.config.calls, thread_name_prefix="propose")
        self.flying: dict[Future[Any], tuple[str, Candidate]] = {}
        self.waiting = 0.0  # seconds spent waiting for others; the rest is the engine's own share
        self.barren = self.outages = 0  # refused proposals, and unanswered calls, in a row
        self.number = memory.last_proposal
        self.began = time.monotonic()

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
            self.close()

    def close(self) -> None:
        """Let go of the workers; what is in flight is dropped and goes round again on resume."""
        self.calling.shutdown(wait=False, cancel_futures=True)
        self.judging.close()

    # the road of one candidate

    def _advance(self) -> bool:
        """Send off as many candidates as there is room for; False when the search is over."""
        while self._room():
            candidate = self._select()
            brief = self._brief(candidate.choice)
            self.lab.budget.reserve()
            self._fly("propose", candidate, self._propose(candidate, brief))
        self._show("breeding")
        return bool(self.flying)

    def _land(self) -> None:
        """Wait for something to finish, and move each finished candidate one step on."""
        before = time.monotonic()
        done, _ = wait(self.flying, timeout=IDLE, return_when=FIRST_COMPLETED)
        self.waiting += time.monotonic() - before
        for future in sorted(done, key=lambda f: self.flying[f][1].number):
            step, candidate = self.flying.pop(future)
            try:
                result = future.result()
            except Cancelled:
                self.lab.budget.refund()
                continue
            except ModelError as error:
                self._unanswered(candidate, error)
                continue
            if step == "propose":
                self._proposed(candidate, result)
            elif step == "screen":
                self._screened(candidate, result)
            else:
                self._judged(candidate, result)

    def _harvest(self) -> None:
        """After a stop, keep the replies of calls that are under way: they are paid for, and are screened on resume."""
        calls = {f: c for f, (step, c) in self.flying.items() if step == "propose" and c.choice.model}
        if calls:
            self._event("note", f"waiting for {len(calls)} model calls that are under way; Ctrl-C again gives them up")
        for future, candidate in calls.items():
            try:
                self._store_draft(candidate, future.result())
            except ModelError as error:
                self._event("model", f"{candidate.choice.model} did not answer: {error}")

    def _unanswered(self, candidate: Candidate, error: ModelError) -> None:
        """Go on when a model did not answer; nothing was paid. Raises ModelError when it keeps happening."""
        self.lab.budget.refund()
        self.outages += 1
        self._event("model", f"{candidate.choice.model} did not answer: {error}")
        if self.outages >= OUTAGES:
            raise ModelError(f"{error} ({OUTAGES} calls in a row failed; go on with: python -m evolve resume --db {self.lab.archive.path})")

    def _room(self) -> bool:
        """Tell whether another candidate may set off."""
        config = self.lab.config
        limit = config.workers + (config.calls if self.lab.models else 0)
        barren = self.barren >= BARREN
        if barren and not self.flying:
            self._event("barren", f"the last {BARREN} proposals were all refused: nothing new can be made of these parents")
        return not barren and len(self.flying) < limit and self.lab.budget.left >= 1 and not self.lab.bench.stop.is_set()

    def _select(self) -> Candidate:
        """Step 1: an island, its parents and inspirations, an operator, a model, a direction."""
        self.number += 1
        rng = self._rng("select", self.number)
        model = None if not self.lab.models else rng.random() >= self.lab.config.offline_share
        candidate = Candidate(self.number, self.selector.choose(self.number, model, rng))
        self.selector.used(candidate.choice)
        return candidate

    def _brief(self, choice: Choice) -> Brief:
        """Step 2: what the operator is told; of scores only the coarse one."""
        exhibits = [self._exhibit(m) for m in (*choice.parents, *choice.inspirations)]
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

    def _store_draft(self, candidate: Candidate, draft: Draft) -> None:
        """Store a reply and its cost the moment they arrive: whatever happens next, nothing that was paid for is lost."""
        candidate.draft = draft
        choice, usage = candidate.choice, draft.usage
        spend = None
        if usage.calls:
            spend = Spend("model", usage.model, usage.calls, usage.tokens_in, usage.tokens_out, usage.usd, usage.seconds)
        record = ProposalRecord(
            candidate.number, choice.island, choice.operator, choice.model, choice.direction.name, choice.parents, draft.prompt,
            draft.reply, draft.idea, draft.source, choice.novelty, "refused" if draft.source is None else "proposed",
            draft.problem, None,
        )  # fmt: skip
        self.lab.archive.add_proposal(record, spend)

    def _screened(self, candidate: Candidate, screened: Screened) -> None:
        """Step 5: what the screen found; duplicates are refused before anything is spent on judging them."""
        screened = self.lab.screen.unique(screened)
        candidate.screened = screened
        if screened.method is None or screened.passed is None:
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
        self._submit(candidate, screened.passed)

    def _submit(self, candidate: Candidate, method: Method) -> None:
        """Steps 6 to 8: hand the method to the executor, which runs and judges it against its cell's elite."""
        island, config = candidate.choice.island, self.lab.config

        def work() -> Evaluation:
            return self.lab.bench.judge.evaluate(
                method, config.domain, Split.DEV, range(config.dev_instances), lambda m: self._rival(island, m)
            )

        self._fly("judge", candidate, self.judging.submit(work))

    def _judged(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Steps 9 and 10: one transaction records whatever came of it, and places it."""
        choice = candidate.choice
        with self.lab.archive.transaction():
            self._record(evaluation, candidate.number)
            placement = self._place(evaluation, choice.island)
            state = "lost" if evaluation.status is Status.LOST else "done"
            self.lab.archive.settle_proposal(candidate.number, state, placement=placement.name)
        if evaluation.status is Status.LOST:
            self.lab.budget.refund()
            self._event(
                "lost", f"{short(evaluation.method)} was lost three times, through no fault of its own: {evaluation.message}"
            )
            return
        self.lab.budget.settle()
        if placement:
            self.selector.earned(choice.direction.name, choice.operator)
        self._tell(candidate, evaluation, placement)
        self._adopt()
        self._mix()

    # parts of steps

    def _fly(self, step: str, candidate: Candidate, future: Future[Any]) -> None:
        self.flying[future] = (step, candidate)

    def _refuse(self, candidate: Candidate, reason: str) -> None:
        self.barren += 1
        self.lab.budget.refund()
        idea = candidate.draft.idea if candidate.draft else ""
        self.memory.refused(candidate.choice.parents, idea or candidate.choice.operator, reason)

    def _record(self, evaluation: Evaluation, proposal: int | None) -> None:
        """Store an evaluation; an interval only when no stopping rule cut it short."""
        scores = [t.score for t in evaluation.trials if t.score]
        whole = evaluation.status is Status.OK and len(scores) == self.lab.config.dev_instances
        self.lab.archive.add_evaluation(
            evaluation, proposal, self.lab.config.domain, Split.DEV, pgr.interval(scores) if whole else None
        )
        self.memory.add_evaluation(evaluation)

    def _place(self, evaluation: Evaluation, island: int) -> Placement:
        if evaluation.fitness is None:
            return Placement.REJECTED
        elite = Elite(island, self.lab.grid.cell(evaluation.measures), evaluation.method, evaluation.fitness)
        placement = self.lab.archive.place(elite)
        if placement:
            self.selector.place(elite)
        return placement

    def _rival(self, island: int, measures: Mapping[str, float]) -> Sequence[float]:
        """Return the PGRs to beat, instance by instance: the cell's elite's, or in an empty cell the seeds' median."""
        elite = self.selector.elites[island].get(self.lab.grid.cell(measures))
        return self.memory.pgrs[elite.method] if elite else self.memory.seed_medians

    def _exhibit(self, method: str) -> Exhibit:
        record, scores = self.memory.methods[method], self.memory.pgrs.get(method)
        coarse = pgr.coarse(sum(scores) / len(scores)) if scores else None
        return Exhibit(Method(record.id, record.source, record.nodes), record.name, coarse)

    def _rng(self, step: str, number: int) -> random.Random:
        return random.Random(f"{self.lab.config.seed}/{step}/{number}")

    # seeds, migration, reset

    def _judge_seeds(self) -> None:
        """Judge every seed that has not been judged yet on all dev instances, and place it on every island."""
        config = self.lab.config
        instances = range(config.dev_instances)
        todo = [m for m in self.memory.seeds if m.id not in self.memory.judged]
        work = {
            self.judging.submit(
                lambda m=m: self.lab.bench.judge.evaluate(  # type: ignore[misc]  # a lambda's default binds the loop variable
                    Method(m.id, m.source, m.nodes), config.domain, Split.DEV, instances
                )
            ): m
            for m in todo
        }
        pending = set(work)
        landed: dict[str, Evaluation] = {}
        while pending and not self.lab.bench.stop.is_set():
            before = time.monotonic()
            done, pending = wait(pending, timeout=IDLE, return_when=FIRST_COMPLETED)
            self.waiting += time.monotonic() - before
            for future in done:
                try:
                    landed[work[future].id] = future.result()
                except Cancelled:
                    return
            for method in todo:  # recorded in the order of the seeds, whatever the order they finish in
                if method.id in self.memory.judged:
                    continue
                if method.id not in landed:
                    break
                self._seed_judged(landed[method.id], method.name)
            self._show(f"judging the human baselines, {len(self.memory.judged)} of {len(self.memory.seeds)}")
        if not self.lab.bench.stop.is_set() and not any(self.selector.elites):
            raise BudgetRefused("none of the seeds could be judged: see `python -m evolve top`, and `doctor` for the sandbox")

    def _seed_judged(self, evaluation: Evaluation, name: str) -> None:
        with self.lab.archive.transaction():
            self._record(evaluation, None)
            for island in range(self.selector.islands):
                self._place(evaluation, island)
        if evaluation.status is Status.OK:
            mean = sum(evaluation.pgrs) / len(evaluation.pgrs)
            self._event("seed", f"{name}: PGR {mean:+.2f} on {len(evaluation.pgrs)} dev instances", method=evaluation.method)
        else:
            self._event("seed", f"{name}: {evaluation.status}: {evaluation.message}", method=evaluation.method)

    def _adopt(self) -> None:
        """Take in methods that `seed add` has put into the archive while the run goes on."""
        for method in self.lab.archive.methods("origin = 'added'"):
            if method.id in self.memory.methods:
                continue
            self.memory.add_method(method)
            self.memory.recall(self.lab.archive, method.id)
            self.lab.screen.remember(method)
            self.selector.sketches[method.id] = method.sketch
            for elite in self.lab.archive.elites():
                if elite.method == method.id:
                    self.selector.place(elite)

    def _take_up(self, record: ProposalRecord) -> None:
        """Go on with a candidate that was in flight when the run was cut off."""
        choice = self.memory.choice(record, self.selector)
        candidate = Candidate(record.id, choice, Draft(record.source, record.idea, record.prompt, record.reply))
        try:
            self.lab.budget.reserve()
        except BudgetRefused:
            return
        if record.state in ("judging", "lost") and record.method in self.memory.methods:
            method = self.memory.methods[record.method]
            self._submit(candidate, Method(method.id, method.source, method.nodes))
        elif record.source is not None:
            self._fly("screen", candidate, self.calling.submit(self.lab.screen.parse, record.source))

    def _mix(self) -> None:
        """Now and then, move the islands' best elites on, and start the worst islands again from the best."""
        count, config = self.lab.budget.evals, self.lab.config
        if count % config.reset_every == 0 and self.selector.islands > 1 and self.lab.budget.spent_share < 0.8:
            self._reset()
        elif count % config.migrate_every == 0:
            for island, elite in self.selector.migrants():
                moved = Elite(island, elite.cell, elite.method, elite.fitness)
                if self.lab.archive.place(moved):
                    self.selector.place(moved)
                    text = f"{short(elite.method)} moved from island {elite.island} to island {island}"
                    self._event("migration", text, island, elite.method)

    def _reset(self) -> None:
        worst = self.selector.worst()
        for island in worst:
            founder = self.selector.founder(island, worst, self._rng("reset", self.lab.budget.evals + island))
            if founder is None:
                continue
            with self.lab.archive.transaction():
                self.lab.archive.clear_island(island)
                self.selector.elites[island].clear()
                for elite in [*self.memory.seed_elites(island, self.lab.grid), Elite(island, *_rest(founder))]:
                    if self.lab.archive.place(elite):
                        self.selector.place(elite)
            self._event(
                "reset", f"island {island} starts again from {short(founder.method)} of island {founder.island}", island
            )

    # telling

    def _event(self, kind: str, text: str, island: int | None = None, method: str | None = None) -> None:
        self.lab.archive.event(kind, text, island, method)
        self.lab.watch.event(kind, text)

    def _tell(self, candidate: Candidate, evaluation: Evaluation, placement: Placement) -> None:
        if placement and evaluation.fitness is not None and self.memory.new_best(evaluation):
            idea = candidate.draft.idea if candidate.draft else ""
            mean = sum(evaluation.pgrs) / len(evaluation.pgrs)
            text = f"new best {short(evaluation.method)}: dev PGR {mean:.2f} by {candidate.choice.operator} ({idea})"
            self._event("best", text, candidate.choice.island, evaluation.method)

    def _show(self, phase: str) -> None:
        best, budget = self.memory.best, self.lab.budget
        builder = self.lab.bench.builder.progress()
        elapsed = max(1e-9, time.monotonic() - self.began)
        rate = self.memory.judged_here * 60 / elapsed
        self.lab.watch.snapshot(
            Snapshot(
                phase,
                budget.evals,
                budget.limit.evals,
                self.memory.best_interval,
                short(best) if best else "",
                self.memory.baselines,
                rate,
                (budget.limit.evals - budget.evals) / rate * 60 if rate else None,
                (builder.done, builder.total),
                self.selector.recent.entropy,
                self.memory.refusals,
                budget.usd,
            )  # fmt: skip
        )


def _rest(elite: Elite) -> tuple[int, str, float]:
    return elite.cell, elite.method, elite.fitness
