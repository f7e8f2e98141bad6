"""Writes briefs, step 2 of ten: gathers what an operator is told about a choice; scores enter only as they are disclosed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from evolve.islands.islands import Islands
from evolve.nouns import Brief, Exhibit, Operator, Tried
from evolve.prompting import rows
from evolve.prompting.disclosure import Disclosure
from evolve.prompting.prompts import fitted
from evolve.search.ablations import AblationQueue
from evolve.search.candidate import Ended
from evolve.search.feedback import Feedback
from evolve.search.state import SearchState
from evolve.selection.choice import Choice


class Briefing:
    """Makes the brief of each choice. Cards are read only for who asks a model: nobody else is shown a score."""

    def __init__(
        self,
        state: SearchState,
        islands: Islands,
        feedback: Feedback,
        disclosure: Disclosure,
        operators: Mapping[str, Operator],
        ablations: AblationQueue,
    ) -> None:
        self._state, self._islands = state, islands
        self._feedback, self._disclosure, self._operators = feedback, disclosure, operators
        self._ablations = ablations

    def brief(self, number: int, choice: Choice) -> Brief:
        """Return what an operator is told."""
        family = self._feedback.family(choice.parents[0])
        if not choice.model:
            parents, others = (tuple(map(self._plain, group)) for group in (choice.parents, choice.inspirations))
            return Brief(choice.direction, parents, others, family=family)
        parents = tuple(map(self._shown, choice.parents))
        if self._operators[choice.operator].subject == "direction":
            return Brief(choice.direction, parents, family=family)
        whole = self._feedback.whole(number, choice)
        return fitted(
            Brief(
                direction=choice.direction,
                parents=parents,
                inspirations=tuple(replace(self._shown(one), whole=one in whole) for one in choice.inspirations),
                record=self._record(),
                tried=tuple(self._tried(event, near) for event, near in self._feedback.tried(choice)),
                deleted=self._feedback.deleted(choice.parents[0], self._better),
                broken=self._feedback.broken(choice.fixes),
                family=family,
                ablations=self._parts(),
            )
        )

    def _plain(self, method: str) -> Exhibit:
        record = self._state.methods[method]
        return Exhibit(record.method, record.name)

    def _shown(self, method: str) -> Exhibit:
        shown = self._disclosure.exhibit(*self._state.born(method))
        return replace(shown, prediction=self._feedback.prediction(method))

    def _record(self) -> Exhibit | None:
        """Return the best method so far; the file of a human baseline is left to where it is a parent."""
        best = self._state.best
        return replace(self._shown(best), whole=self._state.methods[best].origin == "search") if best else None

    def _parts(self) -> str:
        """Return what parts of the record are worth."""
        known = self._ablations.known()
        if known is None:
            return ""
        return self._disclosure.parts(self._state.methods[known.method], known.experiments, known.method == self._state.best)

    def _better(self, method: str) -> bool:
        return self._disclosure.better(*self._state.born(method))

    def _tried(self, event: Ended, near: bool) -> Tried:
        """Return a row of the table."""
        method = event.reward.method if event.reward.method in self._state.methods else ""
        scores = self._disclosure.line(*self._state.born(method)) if method in self._state.scored else ""
        changed = self._changed(event, method) if method else ()
        told = rows.outcome(scores, self._ending(event, method))
        return Tried(event.idea, event.choice.operator, changed, told, event.prediction, method if scores else "", near)

    def _changed(self, event: Ended, method: str) -> tuple[str, ...]:
        methods, parent = self._state.methods, event.choice.parents[0]
        return rows.changed_parts(methods[parent].source, methods[method].source) if parent in methods else ()

    def _ending(self, event: Ended, method: str) -> str:
        """Say how a child ended: a refusal, a crash, a miss and a place read differently."""
        if event.state == "refused":
            return f"refused before it ran: {event.reason or 'no reason known'}"
        if method not in self._state.scored:
            return f"failed when it ran: {event.reason or 'no reason known'}"
        if event.reward.placed:
            return "placed"
        if method in self._state.flagged:
            return f"set aside, {event.reason}"
        if stopped := self._disclosure.stopped(*self._state.born(method)):
            return stopped
        return self._miss(event.choice.island, method)

    def _miss(self, island: int, method: str) -> str:
        """Say by how much a child missed its cell, and where that lies."""
        fitness = self._state.known_fitness(method)
        if fitness is None:
            return "not placed"
        measures = self._state.measures(method)
        elite = self._islands.elite(island, method, fitness, measures)
        holder = self._islands[island].get(elite.cell) if elite else None
        gap = self._disclosure.behind(self._state.born(method), self._state.born(holder.method)) if holder else None
        axes = {measure.name: measures[measure.name] for measure in self._islands.measures if measure.name in measures}
        return rows.not_placed(gap, axes)
