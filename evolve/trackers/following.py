"""Tells trackers of every evaluation and of the end of a run: an observer that passes everything on to another."""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archives.archive import Archive
from archives.sqlite.place import make_folder
from evolve.errors import EvolveError
from evolve.files import trackers_folder
from evolve.models import OF_THIS_MACHINE
from evolve.observer import Observer, Snapshot
from evolve.runs.checks import stored_config
from evolve.trackers import Subject
from evolve.trackers.process import Process

if TYPE_CHECKING:
    from evolve.runs.session import Ending
    from evolve.search.final_result import Result

PATIENCE = 60.0  # seconds that trackers get to end
SOON = 2.0  # seconds after which they are waited for aloud
_TOLD = (
    "task", "domain", "device", "seed", "evals", "minutes", "usd", "tokens", "workers", "islands", "novelty", "dev_instances",
    "fresh_instances",
)  # fmt: skip


class Trackers:
    """The trackers of one session."""

    def __init__(self, names: Sequence[str], db: Path, say: Callable[[str], None]) -> None:
        self._names, self._db, self._say = tuple(dict.fromkeys(names)), db, say
        self._processes: list[Process] = []
        self._seen = -1

    def beside(self, watch: Observer) -> Observer:
        """Return an observer that passes everything on to another, and tells the trackers."""
        return _Beside(watch, self) if self._names else watch

    def follow(self, now: Snapshot) -> list[str]:
        """Tell the trackers where the run stands, once for each evaluation; return a sentence for each that has failed."""
        if now.evaluations == self._seen:
            return []
        sentences = self._begin() if self._seen < 0 else []
        self._seen = now.evaluations
        sentences += [process.problem() for process in self._processes if process.gone]
        self._processes = [process for process in self._processes if not process.gone]
        if now.evaluations:
            for process in self._processes:
                process.tell({"step": now.evaluations, "values": values(now)})
        return sentences

    def end(self, ending: Ending, report: Path | None = None) -> None:
        """Tell the trackers what the run found, and where its page lies if it has one."""
        state = "interrupted" if ending.interrupted else "finished"
        page = {"report": str(report.absolute())} if report else {}
        for process in self._processes:
            process.tell({"state": state, "results": {**results(ending.result), **page}})

    def close(self) -> None:
        """Wait until the trackers have written everything; one that was not told how the run ended takes it as interrupted."""
        until = time.monotonic() + PATIENCE
        for process in self._processes:
            if not process.ended(SOON):
                self._say(f"waiting until the tracker {process.name} has written everything, at most {PATIENCE:.0f} s")
            sentence = process.finish(max(0.0, until - time.monotonic()))
            if sentence:
                self._say(sentence)
        self._processes = []

    def _begin(self) -> list[str]:
        """Start a process for each tracker; return a sentence when that cannot be."""
        try:
            subject = subject_of(self._db)
            self._processes = [Process(name, subject) for name in self._names]
        except (OSError, EvolveError) as error:
            return [f"no tracker follows this run: {error}"]
        return []


class _Beside:
    """An observer that also tells the trackers."""

    def __init__(self, watch: Observer, trackers: Trackers) -> None:
        self._watch, self._trackers = watch, trackers

    def event(self, kind: str, text: str) -> None:
        """Show something that happened."""
        self._watch.event(kind, text)

    def snapshot(self, now: Snapshot) -> None:
        """Show where the run stands, and tell the trackers."""
        self._watch.snapshot(now)
        for sentence in self._trackers.follow(now):
            self._watch.event("note", sentence)


@contextlib.contextmanager
def following(names: Sequence[str], db: Path, say: Callable[[str], None]) -> Iterator[Trackers]:
    """Have trackers follow a session; `say` is told what goes wrong after it."""
    trackers = Trackers(names, db, say)
    try:
        yield trackers
    finally:
        trackers.close()


def values(now: Snapshot) -> dict[str, float]:
    """Return the numbers of a snapshot that are known: best dev PGR with its interval, fitness, QD-score and so on."""
    found = {"qd_score": now.qd_score, "coverage": now.coverage, "usd": now.usd, "direction_entropy": now.entropy}
    found |= {"refused": float(now.refused), "evaluations_per_minute": now.rate}
    if now.best and now.best_name not in now.baselines:  # before there is a bred method the best is a seed
        best = now.best
        found |= {"best_pgr": best.mean, "best_pgr_low": best.low, "best_pgr_high": best.high, "best_fitness": now.fitness}
    if now.baselines:
        found["human_best_pgr"] = max(now.baselines.values())
    return {name: value for name, value in found.items() if value is not None and math.isfinite(value)}


def results(result: Result | None) -> dict[str, str | float]:
    """Return what a run found: the champion, its PGR on fresh instances with its interval, and the verdict."""
    if result is None:
        return {}
    found: dict[str, str | float] = {"champion": result.champion.name, "verdict": result.verdict, "tried": result.tried}
    found |= {"difference": result.difference, "difference_low": result.low, "inflation": result.inflation}
    for line in result.lines:
        interval = line.intervals[0]
        if interval is not None:
            name = f"fresh_pgr_{line.domain}"
            found |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return {name: value for name, value in found.items() if isinstance(value, str) or math.isfinite(value)}


def subject_of(db: Path) -> Subject:
    """Return a run as trackers see it."""
    with contextlib.closing(Archive.open(db)) as archive:
        run, config = archive.run(), stored_config(archive)
    settings: Mapping[str, object] = config.model_dump()
    told = {name: value for name in _TOLD if isinstance(value := settings[name], (str, int, float))}
    models = ", ".join(map(_shown, config.model)) or "none"
    facts = {**told, "models": models, "task_version": run.task_version, "sandbox": run.level, "evolve": run.evolve_version}
    where = trackers_folder(db)
    make_folder(where)
    return Subject(run.id, f"{re.sub(r'[^A-Za-z0-9_-]+', '-', run.id)[:80]}-{run.key[:8]}", where, facts)


def _shown(spec: str) -> str:
    """Return a model's name; a command line, or a path, is not told."""
    provider = spec.strip().partition(":")[0]
    return provider if provider in OF_THIS_MACHINE else spec
