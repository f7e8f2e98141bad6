"""Reports what a search does: events in the archive and to the observer, and where the run stands."""

from __future__ import annotations

import time

from evolve.islands.islands import Islands
from evolve.observer import BREEDING, Snapshot
from evolve.search.context import RunContext
from evolve.search.remaining import breeding_seconds, final_trials, seconds_a_trial
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
        self._opened = self._began = self._saved = time.monotonic()
        self._shown, self._last = 0.0, ("", 0, -1)  # the last snapshot's time, and its phase, methods done and evaluations
        self._shown_left: float | None = None
        self._a_trial: float | None = None
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

    def standing(self, phase: str, done: int = 0, of: int = 0, trials: int | None = None) -> None:
        """Show where the run stands, after every evaluation and now and then between, and sometimes store its clock.

        Args:
            done: methods of this phase that are judged, of `of`.
            trials: about how many trials the run still has; None while it breeds, or before.
        """
        context, now = self._context, time.monotonic()
        if now - self._shown < SHOW_EVERY and (phase, done, context.budget.evals) == self._last:
            return
        if now - self._saved > SAVE_EVERY or phase != self._last[0]:
            self._saved, self._a_trial = now, seconds_a_trial(context.archive, context.config.workers)
            context.archive.update_run(seconds=context.budget.seconds)
        if phase == BREEDING != self._last[0]:
            self._began, self._before = now, context.budget.evals
        left = self._left(phase, trials, now)
        if phase != self._last[0]:
            context.archive.event("phase", phase, None, None, self._final if phase == BREEDING else left)
        self._shown, self._last = now, (phase, done, context.budget.evals)
        context.watch.snapshot(self._snapshot(phase, (done, of), left))

    def progress(self, text: str) -> None:
        """Store how far a phase is, with the seconds that are left."""
        context = self._context
        context.archive.event("progress", text, None, None, self._shown_left)

    @property
    def _final(self) -> float | None:
        """Seconds that the final evaluation will take, about."""
        context = self._context
        trials = final_trials(context.judging.task, context.config, len(self._state.seeds))
        return None if self._a_trial is None else trials * self._a_trial

    @property
    def _rate(self) -> float:
        """Evaluations a minute since breeding began."""
        budget = self._context.budget
        return (budget.evals - self._before) * 60 / max(1e-9, time.monotonic() - self._began)

    def _left(self, phase: str, trials: int | None, now: float) -> float | None:
        """Return the seconds until the run ends; None when unknown."""
        context, final = self._context, self._final
        if trials is not None:
            built, wanted = context.built()
            building = (wanted - built) * (now - self._opened) / built if 0 < built < wanted else 0.0
            self._shown_left = None if self._a_trial is None else max(trials * self._a_trial, building)
        else:
            rate = self._rate if phase == BREEDING else 0.0
            breeding = breeding_seconds(context.config, context.budget, rate, self._a_trial)
            self._shown_left = None if breeding is None or final is None else breeding + final
        return self._shown_left

    def _snapshot(self, phase: str, counted: tuple[int, int], left: float | None) -> Snapshot:
        context, state, budget = self._context, self._state, self._context.budget
        cells, recent = self._islands.best_of_cells(), self._selector.recent
        best = state.best if state.best and state.methods[state.best].origin == "search" else ""
        return Snapshot(
            phase=phase,
            evaluations=budget.evals,
            budget=budget.limit.evals,
            best=state.best_interval if best else None,
            best_name=state.methods[best].name if best else "",
            baselines=state.baselines,
            rate=self._rate,
            left=left,
            instances=context.built(),
            entropy=recent.entropy,
            refused=state.refusals,
            usd=budget.usd if self._priced else None,
            fitness=state.fitness(best) if best else None,
            qd_score=sum(max(0.0, fitness) for fitness in cells.values()),
            coverage=len(cells) / context.grid.cells,
            done=counted[0],
            of=counted[1],
        )
