"""Answers the steps of a replay from a recording: replies, trials, findings, and the order in which steps ended."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from archives.archive import Archive
from archives.nouns import CallRecord, Records
from evolve.executors.job import Job, perform
from evolve.search.candidate import Candidate
from evolve.search.pipeline import Record, Step, StepResult
from fitness.judge import Evaluator
from fitness.nouns import Evaluation, Finding, Method, Split, Trial
from fitness.tasks import Task
from fitness.vault.instance import InstanceName


class Diverged(Exception):
    """The replay cannot go on as the journal says; the message is a sentence."""


class RecordedPipeline:
    """The pipeline of a replay: a step is done when the journal says that it ended."""

    def __init__(self, recording: Archive, judge: Evaluator) -> None:
        self.in_flight: dict[int, Step] = {}
        self.waited = 0.0
        self._recording, self._judge = recording, judge
        self._begun: dict[int, StepResult] = {}

    def submit(self, step: Step, candidate: Candidate, job: Job) -> None:
        """Keep a job until its time has come."""
        self.begin(step, candidate, partial(perform, job, self._judge))

    def begin(self, step: Step, candidate: Candidate, work: Callable[[], Any]) -> None:
        """Keep a step until its time has come."""
        self.in_flight[candidate.number] = step
        self._begun[candidate.number] = StepResult(step, candidate, work)

    def experiment(self, job: Job) -> Future[Evaluation]:
        """Refuse to judge a variant: a replay has all that were tried."""
        raise Diverged(f"a variant was to be tried that is not recorded, {job.method.id or 'without a name'}")

    def keep(self, record: Record) -> None:
        """Refuse what is new: a replay has all that was paid for before it asks."""
        what = "asked a model" if isinstance(record, CallRecord) else "tried a variant"
        raise Diverged(f"proposal {record.proposal} {what}")

    def recorded(self, proposal: int) -> Records:
        """Return what was paid for a proposal."""
        return self._recording.records(proposal)

    def result_of_step(self, proposal: int | None, step: str) -> StepResult:
        """Return the step of a candidate that has ended. Raises Diverged when the candidate is not at it."""
        found = self._begun.get(proposal or 0)
        if found is None or found.step != step:
            at = f"is at {found.step}" if found else "is not under way"
            raise Diverged(f"the journal says that {step} of proposal {proposal} has ended, but it {at}")
        del self._begun[found.candidate.number], self.in_flight[found.candidate.number]
        return found


def recorded_adds(recording: Archive, one: str, other: str) -> float | None:
    """Return what a method adds to one, as it was recorded. Raises Diverged when it was not."""
    known = recording.pair(one, other)
    if known is None:
        raise Diverged(f"what {other} adds to {one} is not recorded")
    return known[0]


class RecordedJudge(Evaluator):
    """A judge whose trials and findings come from an archive; races, cells and fitness are worked out anew."""

    def __init__(self, task: Task, recording: Archive) -> None:
        super().__init__(task)
        self._recording = recording
        self._trials: dict[tuple[str, str, int], deque[Trial]] = defaultdict(deque)
        for trial in recording.all_trials(Split.DEV):
            self._trials[trial.method, trial.domain, trial.instance].append(trial)

    def trial(self, method: Method, name: InstanceName, draw: str = "") -> Trial:
        """Return the next recorded trial of a method on an instance. Raises Diverged when there is none."""
        found = self._trials[method.id, name.domain, name.index]
        if not found:
            raise Diverged(f"no trial of {method.id} on instance {name.index} of {name.domain} is recorded")
        return found.popleft()

    def inspect(self, method: Method, trials: Sequence[Trial], thorough: bool = False) -> tuple[Finding, ...]:
        """Return what was found of a method on dev instances."""
        return tuple(self._recording.findings(method.id, Split.DEV))
