"""Reports what a search does: events in the archive and to the observer, and where the run stands."""

from __future__ import annotations

import time

from evolve.islands.islands import Islands
from evolve.observer import Snapshot
from evolve.search.context import RunContext
from evolve.search.state import SearchState
from evolve.selection.selector import Selector
from evolve.text import short
from fitness.nouns import Evaluation, Status, Verdict

SHOW_EVERY = 0.05  # seconds between two snapshots of a phase
SAVE_EVERY = 5.0  # seconds between updates of the run's clock in the archive


class Reporter:
    """Says what happens in one session of a run."""

    def __init__(self, context: RunContext, state: SearchState, islands: Islands, selector: Selector) -> None:
        self._context, self._state, self._islands, self._selector = context, state, islands, selector
        self._began = self._saved = time.monotonic()
        self._shown, self._phase, self._evaluations = 0.0, "", -1
        self._before = context.budget.evals
        self._priced = all(model.worst_case(context.system, "").usd is not None for model in context.models.values())

    def event(
        self, kind: str, text: str, island: int | None = None, method: str | None = None, value: float | None = None
    ) -> None:
        """Store and show something that happened."""
        archive, watch = self._context.archive, self._context.watch
        archive.event(kind, text, island, method, value)
        watch.event(kind, text)

    def seed(self, name: str, evaluation: Evaluation) -> None:
        """Say how a seed was judged."""
        outcome = f"{evaluation.status}: {evaluation.message}"
        if evaluation.status is Status.OK:
            outcome = f"PGR {evaluation.pgr:+.2f} on {len(evaluation.pgrs)} dev instances"
        self.event("seed", f"{name}: {outcome}", None, evaluation.method)

    def flags(self, evaluation: Evaluation) -> None:
        """Say which probes a method failed."""
        said = {finding.probe: finding for finding in reversed(evaluation.findings) if finding.verdict is Verdict.FAILED}
        for probe in evaluation.flags:
            text = f"{short(evaluation.method)} is kept out of the grid, flagged by {probe}: {said[probe].sentence}"
            self.event("flag", text, None, evaluation.method)

    def lost(self, evaluation: Evaluation) -> None:
        """Say that a method could not be judged, and that it is not to blame."""
        blameless = f"{short(evaluation.method)} was lost three times, not by its own fault"
        self.event("lost", f"{blameless}: {evaluation.message}")

    def best(self, evaluation: Evaluation, operator: str, idea: str, island: int) -> None:
        """Say that a method is the fittest so far."""
        text = f"new best {short(evaluation.method)}: dev PGR {evaluation.pgr:.2f} by {operator} ({idea})"
        self.event("best", text, island, evaluation.method)

    def standing(self, phase: str) -> None:
        """Show where the search stands, after every evaluation and now and then between, and sometimes store its clock."""
        context, state, now = self._context, self._state, time.monotonic()
        budget = context.budget
        if now - self._shown < SHOW_EVERY and (phase, budget.evals) == (self._phase, self._evaluations):
            return
        self._shown, self._phase, self._evaluations = now, phase, budget.evals
        if now - self._saved > SAVE_EVERY:
            self._saved = now
            context.archive.update_run(seconds=budget.seconds)
        cells, recent = self._islands.best_of_cells(), self._selector.recent
        rate = (budget.evals - self._before) * 60 / max(1e-9, now - self._began)
        context.watch.snapshot(
            Snapshot(
                phase=phase,
                evaluations=budget.evals,
                budget=budget.limit.evals,
                best=state.best_interval,
                best_name=state.methods[state.best].name if state.best else "",
                baselines=state.baselines,
                rate=rate,
                left=(budget.limit.evals - budget.evals) / rate * 60 if rate else None,
                instances=context.built(),
                entropy=recent.entropy,
                refused=state.refusals,
                usd=budget.usd if self._priced else None,
                fitness=state.fitness(state.best) if state.best else None,
                qd_score=sum(max(0.0, fitness) for fitness in cells.values()),
                coverage=len(cells) / context.grid.cells,
            )
        )
