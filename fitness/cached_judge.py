"""Judges human baselines once a vault: what they scored on an instance is not measured again while nothing can change it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from fitness.contracts.contract import Problem
from fitness.judge import Cancelled, Judge, Runner, Scramble
from fitness.nouns import Finding, Method, Outcome, Status, Trial
from fitness.probes import probes
from fitness.tasks import Task
from fitness.vault.cache import ScoreCache
from fitness.vault.instance import Instance, InstanceName
from fitness.vault.marks import Marks, from_json, to_json
from fitness.vault.rows import RowStore
from fitness.vault.vault import Vault

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class CachedJudge(Judge):
    """A judge that looks a baseline's trials and examinations up before it runs it, and keeps those that went well.

    What failed, was lost, ran out of time, or ended in a probe that is not one of ours is never kept.

    Args:
        store: where they are kept.
        baselines: ids of the methods that this is for.
        task, vault, sandbox, load, cancelled, scramble, rows: what Judge takes.
    """

    def __init__(
        self,
        store: ScoreCache,
        baselines: Collection[str],
        task: Task,
        vault: Vault,
        sandbox: Runner,
        load: Callable[[InstanceName], Instance],
        cancelled: threading.Event,
        scramble: Scramble | None = None,
        rows: RowStore | None = None,
    ) -> None:
        super().__init__(task, vault, sandbox, load, cancelled, self._noticing(scramble), rows)
        self._store, self._baselines = store, frozenset(baselines)
        self._run_by = threading.local()  # `sound` is False once something went wrong in this thread's examination

    def _tried(self, method: Method, name: InstanceName, draw: str) -> tuple[Trial, Marks | None]:
        """Return what is known of a baseline on an instance, or run the method once. Raises Cancelled as Judge does."""
        if draw or method.id not in self._baselines:
            return super()._tried(method, name, draw)
        self._end_if_stopping()
        of = _of(method, trial=str(name))
        known = self._store.get(of)
        if known is not None:
            return _trials().validate_python(known["trial"]), from_json(known["rows"])
        trial, marks = super()._tried(method, name, draw)
        if trial.status is Status.OK:
            self._store.put(of, {"trial": asdict(replace(trial, said="")), "rows": to_json(marks)})
        return trial, marks

    def examine(
        self, method: Method, trial: Trial, thorough: bool = False, names: tuple[str, ...] | None = None
    ) -> tuple[Finding, ...]:
        """Return what is known of a baseline on the problem of a trial, or probe it. Raises Cancelled as Judge does."""
        names = self._task.contract.probes if names is None else names
        ours = probes.known_to(self._task.contract)
        if trial.draw or method.id not in self._baselines or not ours.keys() >= set(names):
            return super().examine(method, trial, thorough, names)
        self._end_if_stopping()
        where = str(InstanceName(trial.task, trial.domain, trial.split, trial.instance))
        score = None if trial.score is None else asdict(trial.score)
        of = _of(method, examined=where, score=score, thorough=thorough, probes=list(names))
        known = self._store.get(of)
        if known is not None:
            return _findings().validate_python(known)
        self._run_by.sound = True
        found = super().examine(method, trial, thorough, names)
        if self._run_by.sound:
            self._store.put(of, [asdict(finding) for finding in found])
        return found

    def known(self, method: Method, names: Sequence[InstanceName]) -> bool:
        """Tell whether a baseline's trials on all of these instances are known."""
        return all(self._store.get(_of(method, trial=str(name))) is not None for name in names)

    def _end_if_stopping(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled

    def _run(self, source: str, problem: Problem) -> Outcome:
        outcome = super()._run(source, problem)
        if outcome.status is not Status.OK:
            self._run_by.sound = False
        return outcome

    def _noticing(self, scramble: Scramble | None) -> Scramble | None:
        """Return the scrambler, whose failures are noticed: they are ours."""
        if scramble is None:
            return None

        def noticed(source: str, seed: int) -> Mapping[str, Sequence[str]] | None:
            kinds = scramble(source, seed)
            if kinds is None:
                self._run_by.sound = False
            return kinds

        return noticed


def _of(method: Method, **what: object) -> dict[str, object]:
    """Return what an entry is of; methods of one id may differ in names, which no score should depend on, and still might."""
    return {"method": method.id, "source": sha256(method.source.encode()).hexdigest(), **what}


@cache
def _trials() -> TypeAdapter[Trial]:
    from pydantic import TypeAdapter

    return TypeAdapter(Trial)


@cache
def _findings() -> TypeAdapter[tuple[Finding, ...]]:
    from pydantic import TypeAdapter

    return TypeAdapter(tuple[Finding, ...])
