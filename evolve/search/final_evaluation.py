"""Judges the finalists and the human baselines on fresh instances, then on the held-out domains, after selection has ended.

Nothing here feeds back: fresh and held-out scores never enter a prompt, a fitness, the grid or a choice. The champion is the
fittest finalist on dev that passes the thorough probes, whatever it then scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from archives.nouns import Look, MethodRecord
from evolve.executors.batch import Batch
from evolve.executors.job import Job
from evolve.prompting.disclosure import ENGINE
from evolve.search.context import RunContext, fresh_instances, held_out, instances
from evolve.search.parts import Parts
from evolve.search.remaining import PROBE_TRIALS, held_out_trials
from evolve.text import short
from fitness import pgr
from fitness.nouns import Evaluation, Interval, Score, Split, Status
from fitness.vault.instance import InstanceName

_WHY = "final table: finalists against the human baselines"
_NOTHING_BRED = "the search has bred no method that was judged OK on all dev instances and that no probe failed"
_AFRESH = "was flagged or failed on a fresh instance"
ROUNDS = 3  # times that finalists are replaced when all of them are flagged or fail


@dataclass(frozen=True)
class Contender:
    """A method in the final table: what it is called, its id, and its place: best, 2nd, 3rd, or human best."""

    place: str
    name: str
    id: str


@dataclass(frozen=True)
class DomainLine:
    """One domain of the final table.

    Attributes:
        intervals: of each contender on the same instances; None where it failed.
        few: whether there are fewer instances than on a search domain, so that the spread over them is not believed alone.
    """

    domain: str
    instances: int
    intervals: tuple[Interval | None, ...]
    few: bool


@dataclass(frozen=True)
class Result:
    """What a run found.

    Attributes:
        contenders: the champion first, the human best last.
        lines: the final table, search domains first.
        tried: methods that selection chose the champion from.
        dev, fresh: the champion's mean PGR on the search domains; selection inflates dev.
        difference, low: mean paired difference of PGR on fresh instances, and its one-sided 95 % lower bound.
        verdict: the sentence that says whether the champion beats the human best.
    """

    contenders: tuple[Contender, ...]
    lines: tuple[DomainLine, ...]
    tried: int
    dev: float
    fresh: float
    difference: float
    low: float
    verdict: str

    @property
    def champion(self) -> Contender:
        """The method that the verdict is about."""
        return self.contenders[0]

    @property
    def inflation(self) -> float:
        """By how much selection on dev instances flattered the champion."""
        return self.dev - self.fresh

    @property
    def shown(self) -> bool:
        """Whether the champion is shown to beat the human best."""
        return self.low > 0


def sentence(champion: str, human: str, difference: tuple[float, float, float], instances: int) -> str:
    """Return the verdict: whether a champion beats the human best, by how much, and what that much is.

    One comparison is made, of the method that dev instances alone chose, so the bound needs no correction for the finalists.
    """
    mean, low, high = difference
    facts = f"PGR {mean:+.2f} on the same {instances} fresh instances, 90 % interval [{low:+.2f}, {high:+.2f}]"
    if low > 0:
        narrowly = " narrowly" if mean < pgr.NARROW else ""
        means = f"it recovers {mean:.0%} more of the gap between weak teacher and ceiling, and surely at least {low:.1%}"
        return f"shown: {champion} beats the human best, {human},{narrowly} by {facts}: {means}"
    return f"not shown: {champion} against the human best, {human}: {facts}, which {'holds' if high >= 0 else 'lies below'} 0"


class FinalEvaluation:
    """Judges a run's finalists against the human baselines."""

    def __init__(self, context: RunContext, parts: Parts) -> None:
        self._config, self._archive, self._judging = context.config, context.archive, context.judging
        self._open_executor = context.open_executor
        self._state, self._reporter, self._disclosure = parts.listeners.state, parts.reporter, parts.disclosure
        self._scores: dict[tuple[str, str], tuple[Score, ...]] = {}  # method, domain -> by instance; empty for a failure

    def run(self) -> Result | None:
        """Judge, store and return the result; None when the run was stopped or nothing could be judged."""
        config, state, gone = self._config, self._state, set[str]()
        for _ in range(ROUNDS):
            finalists = state.finalists(config.finalists, gone)
            if not finalists:
                self._store_why_not(f"every finalist {_AFRESH}" if gone else _NOTHING_BRED)
                return None
            humans = self._humans()
            names = " ".join(short(m.id) for m in finalists)
            self._reporter.event("finale", f"selection has ended: judging {names} and {len(humans)} human baselines afresh")
            if not self._judge([*finalists, *humans], fresh_instances(config), {m.id for m in finalists}):
                return None
            ours = [m for m in finalists if self._whole(m) and m.id not in state.flagged]
            theirs = [m for m in humans if self._whole(m)]
            if ours:
                break
            gone |= {m.id for m in finalists}
            self._reporter.event(
                "finale", "every finalist was flagged or failed on a fresh instance: the next fittest take their place"
            )
        if not ours or not theirs:
            whose = "human baseline" if ours else f"finalist of {ROUNDS} rounds"
            self._store_why_not(f"every {whose} {_AFRESH}")
            return None
        human = max(theirs, key=lambda m: fmean(s.pgr for s in self._search(m)))
        for domain, count in held_out(self._judging.task, config):
            if count and not self._judge([*ours, human], instances(config, (domain,), Split.FRESH, count)):
                return None
        result = self._result(ours, human)
        champion = result.champion
        with self._archive.transaction():
            self._archive.event("verdict", result.verdict, None, champion.id, result.low)
            outcome = {"verdict": result.verdict, "tried": result.tried, "inflation": result.inflation}
            self._archive.update_run(champion=champion.id, human_best=human.id, **outcome)
        return result

    def _store_why_not(self, why: str) -> None:
        """Store why the run has no champion, also where an earlier session had found one."""
        sentence = f"There is no champion, and nothing is shown: {why}."
        with self._archive.transaction():
            self._archive.update_run(champion="", human_best="", verdict=sentence, tried=0, inflation=None)
            self._archive.event("verdict", sentence)

    def judge_humans(self) -> bool:
        """Judge the human baselines on the fresh instances; False when the run is stopping."""
        return self._judge(self._humans(), fresh_instances(self._config))

    def _humans(self) -> list[MethodRecord]:
        return [m for m in self._state.seeds if m.origin == "seed" and m.id in self._state.scored]

    def _judge(self, methods: Sequence[MethodRecord], names: Sequence[InstanceName], probed: set[str] | None = None) -> bool:
        """Judge methods on instances, unless they were before; False when the run is stopping."""
        label = "+".join(dict.fromkeys(name.domain for name in names))
        todo = [m for m in methods if not self._recall(m, label, names)]
        phase = f"judging {'finalists and baselines' if probed else 'methods'} on fresh instances of {label}"
        done, known = 0, len(methods) - len(todo)

        def job(method: MethodRecord) -> Job:
            if probed and method.id in probed:
                return Job("certify", method.method, tuple(names), thorough=True)
            return Job("evaluate", method.method, tuple(names))

        def tick() -> None:
            left = self._trials(todo[done:], len(names), probed)
            self._reporter.standing(phase, known + done, len(methods), left)

        batch = Batch(self._open_executor(), self._judging.stop, tick)
        for method, evaluation in batch.run((m, job(m)) for m in todo):
            self._record(method, label, evaluation)
            done += 1
            self._reporter.progress(f"{phase}, {known + done} of {len(methods)}")
        return done == len(todo)

    def _trials(self, methods: Sequence[MethodRecord], instances: int, probed: set[str] | None) -> int:
        """Return about how many trials the run still has while these methods are judged; held-out domains come last."""
        here = len(methods) * instances + PROBE_TRIALS * sum(m.id in (probed or ()) for m in methods)
        return here + (held_out_trials(self._judging.task, self._config) if probed else 0)

    def _recall(self, method: MethodRecord, label: str, names: Sequence[InstanceName]) -> bool:
        """Take up what an earlier session has judged; False when there is nothing, or not enough."""
        known = self._archive.trials(method.id, Split.FRESH, label)
        self._keep(method.id, {name.domain for name in names}, {(t.domain, t.instance): t.score for t in known})
        return len(known) == len(names)

    def _record(self, method: MethodRecord, label: str, evaluation: Evaluation) -> None:
        domains = {t.domain for t in evaluation.trials}
        ok = evaluation.status is Status.OK
        self._keep(method.id, domains, {(t.domain, t.instance): t.score for t in evaluation.trials} if ok else {})
        with self._archive.transaction():
            self._archive.add_evaluation(evaluation, None, label, Split.FRESH, self._joint(method.id, domains) if ok else None)
            for domain in sorted(domains):
                count = sum(t.domain == domain for t in evaluation.trials)
                lineage = self._disclosure.ancestor_seed(method.id)
                self._archive.look(Look(ENGINE, method.id, lineage, domain, Split.FRESH, count, _WHY))
            if evaluation.flags:
                self._archive.journal("flagged", method=method.id)
        if evaluation.flags:
            self._state.flag(method.id)
            self._reporter.flags(evaluation)

    def _keep(self, method: str, domains: set[str], scores: dict[tuple[str, int], Score | None]) -> None:
        for domain in domains:
            self._scores[method, domain] = tuple(score for (d, _), score in scores.items() if d == domain and score)

    def _whole(self, method: MethodRecord) -> bool:
        config = self._config
        return all(len(self._scores.get((method.id, d), ())) == config.fresh_instances for d in config.domains)

    def _search(self, method: MethodRecord) -> list[Score]:
        """Return a method's fresh scores on the search domains, one domain after the other."""
        config = self._config
        return [score for domain in config.domains for score in self._scores[method.id, domain]]

    def _joint(self, method: str, domains: set[str]) -> Interval | None:
        """Return the interval over several search domains, or that of one domain."""
        if len(domains) == 1:
            return self._interval(method, *domains)
        return pgr.interval(*(self._scores[method, domain] for domain in sorted(domains)))

    def _interval(self, method: str, domain: str) -> Interval | None:
        """Return a 90 % interval; on a held-out domain the spread is at least that of all methods on the search domains."""
        config, scores = self._config, self._scores.get((method, domain), ())
        if not scores:
            return None
        known = [group for (_, where), group in self._scores.items() if where in config.domains and len(group) > 1]
        return pgr.interval(scores, least=None if domain in config.domains else pgr.pooled(known))

    def _result(self, ours: Sequence[MethodRecord], human: MethodRecord) -> Result:
        config, state = self._config, self._state
        places = ["best", "2nd", "3rd", *(f"{i}th" for i in range(4, len(ours) + 1))]
        named = [*zip(places, ours), ("human best", human)]
        counts = [(domain, config.fresh_instances) for domain in config.domains] + held_out(self._judging.task, config)
        lines = tuple(
            DomainLine(domain, n, tuple(self._interval(m.id, domain) for _, m in named), n < config.fresh_instances)
            for domain, n in counts
            if n
        )
        champion, tried = ours[0], sum(m.origin == "search" for m in state.methods.values() if m.id in state.judged)
        mean, low = pgr.paired(self._search(champion), self._search(human))
        high = pgr.paired(self._search(champion), self._search(human), 0.05)[1]
        verdict = sentence(champion.name, human.name, (mean, low, high), len(fresh_instances(config)))
        dev, fresh = fmean(self._state.pgrs(champion.id)), fmean(s.pgr for s in self._search(champion))
        contenders = tuple(Contender(place, m.name, m.id) for place, m in named)
        return Result(contenders, lines, tried, dev, fresh, mean, low, verdict)
