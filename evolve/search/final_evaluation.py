"""Judges the finalists and the human baselines on fresh instances, then on the held-out domains, after selection has ended.

Nothing here feeds back: fresh and held-out scores never enter a prompt, a fitness, the grid or a choice. The champion is the
fittest finalist on dev that no probe flags, whatever it then scores. A finalist that a probe failed on any fresh instance stays
in the table, with the evidence: what was taken from it can be given back by a person (the archive's table of reviews).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from archives.nouns import Look, MethodRecord
from evolve.executors.batch import Batch
from evolve.executors.job import Job
from evolve.prompting.disclosure import ENGINE
from evolve.search.context import RunContext, fresh_instances, held_out, instances
from evolve.search.final_result import Contender, ContestedFinalist, DomainLine, Result, sentence
from evolve.search.parts import Parts
from evolve.search.remaining import PROBE_TRIALS, held_out_trials
from evolve.text import short
from fitness import pgr
from fitness.nouns import Evaluation, Interval, Score, Split, Status
from fitness.probes import evidence
from fitness.vault.instance import InstanceName

_WHY = "final table: finalists against the human baselines"
_NOTHING_BRED = "the search has bred no method that was judged OK on all dev instances and that no probe failed"
_AFRESH = "was flagged or failed on a fresh instance"
ROUNDS = 3  # times that finalists are replaced when all of them are flagged or fail


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
            if not self._judge([*finalists, *humans], fresh_instances(config), finalists, thorough=True):
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
            if count and not self._judge([*ours, human], instances(config, (domain,), Split.FRESH, count), ours):
                return None
        ours = [m for m in ours if m.id not in state.flagged]  # on a held-out domain they are probed too
        if not ours:
            self._store_why_not("every finalist was flagged on a held-out domain")
            return None
        result = replace(self._result(ours, human), contested=self._contested())
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
        phase = f"judging {'finalists and baselines' if probed else 'methods'} on fresh instances of {label}"
        done, known = 0, len(methods) - len(todo)

        def job(method: MethodRecord) -> Job:
            if method in probed:
                return Job("certify", method.method, tuple(names), thorough=thorough)
            return Job("evaluate", method.method, tuple(names))

        def tick() -> None:
            left = self._trials(todo[done:], len(names), probed, thorough)
            self._reporter.standing(phase, known + done, len(methods), left)

        batch = Batch(self._open_executor(), self._judging.stop, tick)
        for method, evaluation in batch.run((m, job(m)) for m in todo):
            self._record(method, label, evaluation)
            done += 1
            self._reporter.progress(f"{phase}, {known + done} of {len(methods)}")
        return done == len(todo)

    def _trials(
        self, methods: Sequence[MethodRecord], instances: int, probed: Sequence[MethodRecord], before_held_out: bool
    ) -> int:
        """Return about how many trials the run still has while these methods are judged; held-out domains come last."""
        here = len(methods) * instances + PROBE_TRIALS * sum(m in probed for m in methods)
        return here + (held_out_trials(self._judging.task, self._config) if before_held_out else 0)

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
        shown = pgr.paired_interval(self._search(champion), self._search(human))
        verdict = sentence(champion.name, human.name, (shown.mean, shown.low, shown.high), len(fresh_instances(config)))
        dev, fresh = fmean(self._state.pgrs(champion.id)), fmean(s.pgr for s in self._search(champion))
        contenders = tuple(Contender(place, m.name, m.id) for place, m in named)
        return Result(contenders, lines, tried, dev, fresh, shown.mean, shown.low, verdict)
