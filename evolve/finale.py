"""After selection has ended: the champion and the human baselines on fresh instances, then on the held-out domains.

Nothing here feeds back: held-out scores never enter a prompt, a fitness, the grid or a choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archives.nouns import MethodRecord
from evolve.batch import Batch
from evolve.lab import Lab, held_out
from evolve.memory import Memory
from evolve.nouns import short
from fitness import pgr
from fitness.nouns import Evaluation, Interval, Score, Split, Status


@dataclass(frozen=True)
class Line:
    """One domain of the final table: the champion and the human best on the same instances; None where one failed.

    Attributes:
        few: whether there are fewer instances than on the search domain, so that the spread over them is not believed alone.
    """

    domain: str
    instances: int
    champion: Interval | None
    human: Interval | None
    few: bool


@dataclass(frozen=True)
class Result:
    """What a run found.

    Attributes:
        champion, human_best: names; with the ids beside them.
        dev: the champion's dev PGR, which selection inflates.
        lines: the final table, search domain first.
        difference, low: mean paired difference of PGR on fresh instances, and its one-sided 95 % lower bound.
        verdict: the sentence that says whether the champion beats the human best.
    """

    champion: str
    champion_id: str
    human_best: str
    human_best_id: str
    dev: float
    lines: tuple[Line, ...]
    difference: float
    low: float
    verdict: str

    @property
    def shown(self) -> bool:
        """Whether the champion is shown to beat the human best."""
        return self.low > 0


class Finale:
    """Judges a run's champion against the human baselines."""

    def __init__(self, lab: Lab, memory: Memory) -> None:
        self.lab, self.memory = lab, memory
        self._scores: dict[tuple[str, str], tuple[Score, ...]] = {}

    def run(self) -> Result | None:
        """Judge, store and return the result; None when the run was stopped or nothing could be judged."""
        config = self.lab.config
        champion = self.memory.methods[self.memory.best]
        humans = [m for m in self.memory.seeds if m.origin == "seed" and m.id in self.memory.pgrs and m.id != champion.id]
        self.lab.watch.event(
            "finale", f"selection has ended: judging {short(champion.id)} and {len(humans)} human baselines afresh"
        )
        if not self._judge([champion, *humans], config.domain, config.fresh_instances):
            return None
        ours = self._scores.get((champion.id, config.domain), ())
        whole = [m for m in humans if len(self._scores.get((m.id, config.domain), ())) == config.fresh_instances]
        if len(ours) < config.fresh_instances or not whole:
            self.lab.watch.event("finale", "not shown: the champion or every human baseline failed on a fresh instance")
            return None
        human = max(whole, key=lambda m: _mean(self._scores[m.id, config.domain]))
        for domain, count in held_out(self.lab.bench.task, config):
            if count and not self._judge([champion, human], domain, count):
                return None
        result = self._result(champion, human)
        self.lab.archive.event("verdict", result.verdict, None, champion.id, result.low)
        self.lab.archive.update_run(champion=champion.id, human_best=human.id, verdict=result.verdict)
        return result

    def _judge(self, methods: Sequence[MethodRecord], domain: str, count: int) -> bool:
        """Judge methods on the fresh instances of a domain, unless they were before; False when the run is stopping."""
        todo = []
        for method in methods:
            known = self.lab.archive.trials(method.id, Split.FRESH, domain)
            self._scores[method.id, domain] = tuple(t.score for t in known if t.score)
            if len(known) != count:
                todo.append(method)
        done = 0
        for method, evaluation in Batch(self.lab, lambda: None).run(todo, domain, Split.FRESH, count):
            self._record(method, domain, evaluation)
            done += 1
            self.lab.watch.event("progress", f"{domain}: {done} of {len(todo)} methods judged afresh")
        return done == len(todo)

    def _record(self, method: MethodRecord, domain: str, evaluation: Evaluation) -> None:
        scores = tuple(t.score for t in evaluation.trials if t.score) if evaluation.status is Status.OK else ()
        self._scores[method.id, domain] = scores
        interval = self._interval(method.id, domain) if scores else None
        with self.lab.archive.transaction():
            self.lab.archive.add_evaluation(evaluation, None, domain, Split.FRESH, interval)
            why = "final table: champion against the human baselines"
            self.lab.archive.look("engine", method.id, domain, Split.FRESH, len(evaluation.trials), why)

    def _interval(self, method: str, domain: str) -> Interval | None:
        """Return a 90 % interval; on a held-out domain the spread is at least that of all methods on the search domain."""
        scores, search = self._scores.get((method, domain), ()), self.lab.config.domain
        if not scores:
            return None
        known = [group for (_, where), group in self._scores.items() if where == search and len(group) > 1]
        return pgr.interval(scores, least=None if domain == search else pgr.pooled(known))

    def _result(self, champion: MethodRecord, human: MethodRecord) -> Result:
        config = self.lab.config
        counts = [(config.domain, config.fresh_instances), *held_out(self.lab.bench.task, config)]
        lines = tuple(
            Line(d, n, self._interval(champion.id, d), self._interval(human.id, d), n < config.fresh_instances)
            for d, n in counts
            if n
        )
        mean, low = pgr.paired(self._scores[champion.id, config.domain], self._scores[human.id, config.domain])
        fresh = config.fresh_instances
        facts = f"PGR {mean:+.2f} on the same {fresh} fresh instances, one-sided 95 % lower bound {low:+.2f}"
        if low > 0:
            verdict = f"shown: {champion.name} beats the human best, {human.name}, by {facts}"
        else:
            verdict = f"not shown: {champion.name} against the human best, {human.name}: {facts}"
        dev = _mean(self.memory.pgrs[champion.id])
        return Result(champion.name, champion.id, human.name, human.id, dev, lines, mean, low, verdict)


def _mean(values: Sequence[Score] | Sequence[float]) -> float:
    numbers = [v.pgr if isinstance(v, Score) else v for v in values]
    return sum(numbers) / len(numbers)
