"""Judges the finalists and the human baselines on fresh instances, then on the held-out domains, after selection has ended.

Nothing here feeds back: fresh and held-out scores never enter a prompt, a fitness, the grid or a choice. The champion is the
fittest finalist on dev that no probe flags, whatever it then scores. A finalist that a probe failed on any fresh instance stays
in the table, with the evidence: what was taken from it can be given back by a person (the archive's table of reviews).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from archives.nouns import Look, MethodRecord
from evolve.executors.batch import Batch
from evolve.executors.job import Job
from evolve.prompting.disclosure import ENGINE
from evolve.search.context import RunContext, fresh_instances, held_out, instances
from evolve.search.parts import Parts
from evolve.text import short
from fitness import pgr
from fitness.nouns import Evaluation, Interval, Score, Split, Status
from fitness.probes import evidence
from fitness.vault.instance import InstanceName

_WHY = "final table: finalists against the human baselines"
ROUNDS = 3  # times that finalists are replaced when all of them are flagged or fail


@dataclass(frozen=True)
class Contender:
    """A method in the final table: what it is called, its id, and its place: best, 2nd, 3rd, or human best."""

    place: str
    name: str
    id: str


@dataclass(frozen=True)
class ContestedFinalist:
    """A finalist that probes failed on fresh or held-out instances.

    Attributes:
        flagged: whether they failed it on most of those that were looked at, which cost it its place.
        pgr: its interval over the fresh instances of all search domains, None where it failed.
        evidence: a sentence a probe.
    """

    name: str
    id: str
    flagged: bool
    pgr: Interval | None
    evidence: tuple[str, ...]


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
        contested: finalists that a probe failed somewhere, fittest first; those that kept their place are contenders too.
    """

    contenders: tuple[Contender, ...]
    lines: tuple[DomainLine, ...]
    tried: int
    dev: float
    fresh: float
    difference: float
    low: float
    verdict: str
    contested: tuple[ContestedFinalist, ...] = ()

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
            humans = [m for m in self._humans() if m not in finalists]
            names = " ".join(short(m.id) for m in finalists)
            self._reporter.event("finale", f"selection has ended: judging {names} and {len(humans)} human baselines afresh")
            if not self._judge([*finalists, *humans], fresh_instances(config), finalists, thorough=True):
                return None
            ours = [m for m in finalists if self._whole(m) and m.id not in state.flagged]
            theirs = [m for m in humans if self._whole(m)]
            if ours or not finalists:
                break
            gone |= {m.id for m in finalists}
            self._reporter.event(
                "finale", "every finalist was flagged or failed on a fresh instance: the next fittest take their place"
            )
        if not ours or not theirs:
            whose = "human baseline" if ours else f"finalist of {ROUNDS} rounds"
            self._reporter.event("finale", f"not shown: every {whose} was flagged or failed on a fresh instance")
            return None
        human = max(theirs, key=lambda m: fmean(s.pgr for s in self._search(m)))
        for domain, count in held_out(self._judging.task, config):
            if count and not self._judge([*ours, human], instances(config, (domain,), Split.FRESH, count), ours):
                return None
        ours = [m for m in ours if m.id not in state.flagged]  # on a held-out domain they are probed too
        if not ours:
            self._reporter.event("finale", "not shown: every finalist was flagged on a held-out domain")
            return None
        result = replace(self._result(ours, human), contested=self._contested())
        champion = result.champion
        with self._archive.transaction():
            self._archive.event("verdict", result.verdict, None, champion.id, result.low)
            outcome = {"verdict": result.verdict, "tried": result.tried, "inflation": result.inflation}
            self._archive.update_run(champion=champion.id, human_best=human.id, **outcome)
        return result

    def judge_humans(self) -> bool:
        """Judge the human baselines on the fresh instances; False when the run is stopping."""
        return self._judge(self._humans(), fresh_instances(self._config))

    def _humans(self) -> list[MethodRecord]:
        return [m for m in self._state.seeds if m.origin == "seed" and m.id in self._state.scored]

    def _judge(
        self,
        methods: Sequence[MethodRecord],
        names: Sequence[InstanceName],
        probed: Sequence[MethodRecord] = (),
        thorough: bool = False,
    ) -> bool:
        """Judge methods on instances, unless they were before; False when the run is stopping."""
        label = "+".join(dict.fromkeys(name.domain for name in names))
        todo = [m for m in methods if not self._recall(m, label, names)]
        done = 0

        def job(method: MethodRecord) -> Job:
            if method in probed:
                return Job("certify", method.method, tuple(names), thorough=thorough)
            return Job("evaluate", method.method, tuple(names))

        batch = Batch(self._open_executor(), self._judging.stop, lambda: None)
        for method, evaluation in batch.run((m, job(m)) for m in todo):
            self._record(method, label, evaluation)
            done += 1
            self._reporter.event("progress", f"{label}: {done} of {len(todo)} methods judged afresh")
        return done == len(todo)

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
        elif told := evidence.sentences(evaluation.findings):
            text = f"{short(method.id)} keeps its place, contested: {'; '.join(told)}"
            self._reporter.event("contested", text, None, method.id)

    def _contested(self) -> tuple[ContestedFinalist, ...]:
        """Return the methods that a probe failed on a fresh instance, in this session or before, and what it saw."""
        found, domains = [], set(self._config.domains)
        methods = self._state.methods
        for method in (methods[one] for one in self._archive.contested()):
            told = evidence.sentences(self._archive.findings(method.id, Split.FRESH))
            interval = self._joint(method.id, domains) if self._whole(method) else None
            found.append(ContestedFinalist(method.name, method.id, method.id in self._state.flagged, interval, told))
        return tuple(found)

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
        facts = (
            f"PGR {mean:+.2f} on the same {len(fresh_instances(config))} fresh instances, one-sided 95 % lower bound {low:+.2f}"
        )
        if low > 0:
            verdict = f"shown: {champion.name} beats the human best, {human.name}, by {facts}"
        else:
            verdict = f"not shown: {champion.name} against the human best, {human.name}: {facts}"
        dev, fresh = fmean(self._state.pgrs(champion.id)), fmean(s.pgr for s in self._search(champion))
        contenders = tuple(Contender(place, m.name, m.id) for place, m in named)
        return Result(contenders, lines, tried, dev, fresh, mean, low, verdict)
