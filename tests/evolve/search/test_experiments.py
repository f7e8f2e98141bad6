"""Experiments of a proposal: what is tried, recorded, counted and told, and what is answered from a record."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from archives.nouns import ExperimentRecord, Records
from evolve import testing
from evolve.budget import Budget, Limit
from evolve.executors import Executor
from evolve.executors.job import Job, perform
from evolve.executors.local import Local
from evolve.nouns import Variant
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from evolve.search.candidate import Candidate
from evolve.search.experiments import MOST, Experiments
from evolve.search.pipeline import LivePipeline, StepResult
from evolve.selection.choice import Choice
from fitness.judge import Cancelled
from fitness.nouns import Direction, Evaluation, Status
from tests.support.scripted import CHILD, PARENT, SYNTAX

CHOICE = Choice(0, "trial", "tiny", Direction("clean", "", ()), ("p",), (), 0.0, 0.0)


class Lab:
    """Judges at once, and remembers what was judged and kept."""

    def __init__(self, worker: WorkerProcess = SYNTAX, limit: int | None = None) -> None:
        self.jobs: list[Job] = []
        self.kept: list[ExperimentRecord] = []
        self.budget = Budget(Limit(10, trials=limit))
        self._screen = Screen(worker)

    def submit(self, job: Job) -> Future[Evaluation]:
        self.jobs.append(job)
        done: Future[Evaluation] = Future()
        done.set_result(perform(job, testing.KnownJudge()))
        return done

    def experiments(self, recorded: Sequence[ExperimentRecord] = (), rival: Sequence[float] = (0.1, 0.2, 0.3)) -> Experiments:
        return Experiments(
            7, "p", testing.NAMES[:2], rival, self._screen, self.budget, self.submit, self.kept.append,
            lambda found: f"PGR {found.pgr:.2f}", recorded,
        )  # fmt: skip


def test_a_variant_is_judged_beside_the_parent_recorded_and_counted() -> None:
    lab = Lab(limit=2)
    [found] = lab.experiments().run([Variant("longer", CHILD)])
    assert (found.card, found.problem) == (f"PGR {testing.TRIAL.score.pgr:.2f}", "")  # type: ignore[union-attr]
    assert (lab.jobs[0].instances, lab.jobs[0].rival) == (testing.NAMES[:2], (0.1, 0.2))
    [record] = lab.kept
    assert (record.proposal, record.subject, record.label, len(record.trials)) == (7, "p", "longer", 2)
    assert lab.budget.left == 0, "trials of experiments are trials of the run"


def test_without_a_race_nobody_is_kept_up_with() -> None:
    lab = Lab()
    lab.experiments().run([Variant("longer", CHILD)], race=False)
    assert lab.jobs[0].rival == ()


def test_what_the_screen_refuses_is_recorded_and_costs_nothing() -> None:
    lab = Lab()
    [found] = lab.experiments().run([Variant("opens\nfiles", "import os\n")])
    assert (found.evaluation, found.card, lab.jobs) == (None, "", [])
    assert "os" in found.problem
    assert (lab.kept[0].status, lab.kept[0].label) == (Status.INVALID, "opens files")


def test_a_record_answers_for_the_variant_it_was_made_of_and_for_no_other() -> None:
    lab = Lab()
    first = lab.experiments()
    told = first.run([Variant("longer", CHILD), Variant("as it is", PARENT)])
    again = Lab()
    second = again.experiments(first.records)
    assert second.run([Variant("longer", CHILD), Variant("as it is", PARENT)]) == told
    assert (again.jobs, again.kept, second.trials) == ([], [], first.trials)
    other = Lab()
    other.experiments(first.records).run([Variant("longer", PARENT)])
    assert len(other.jobs) == 1


def test_a_proposal_tries_no_more_than_it_may() -> None:
    lab = Lab()
    experiments = lab.experiments()
    assert len(experiments.run([Variant(str(n), CHILD.replace("30", str(n + 31))) for n in range(MOST + 5)])) == MOST
    assert experiments.run([Variant("one more", CHILD)]) == ()


def pipeline(judge: testing.KnownJudge, workers: int = 1) -> LivePipeline:
    def opened() -> Executor:
        executor = Local()
        executor.open(judge, workers)
        return executor

    return LivePipeline(opened, 2)


def test_an_operator_waits_for_its_experiments_beside_what_is_judged() -> None:
    live = pipeline(testing.KnownJudge())
    job = Job("evaluate", testing.METHOD, testing.NAMES[:2])
    candidate = Candidate(1, CHOICE)
    live.begin("propose", candidate, lambda: [live.experiment(job).result() for _ in range(3)])
    live.submit("judge", Candidate(2, CHOICE), job)
    arrived = [live.next(10.0), live.next(10.0)]
    assert {one.step for one in arrived if isinstance(one, StepResult)} == {"propose", "judge"}
    live.close()


def test_experiments_that_will_not_end_are_cancelled_when_the_run_stops() -> None:
    gate, waited = threading.Event(), threading.Event()
    live = pipeline(testing.KnownJudge(gate, stopping=True))
    job = Job("evaluate", testing.METHOD, testing.NAMES[:2])
    found: list[BaseException] = []

    def work() -> None:
        begun = [live.experiment(job) for _ in range(3)]
        waited.set()
        for one in begun:
            try:
                one.result()
            except BaseException as error:
                found.append(error)

    candidate = Candidate(1, CHOICE)
    live.begin("propose", candidate, work)
    assert waited.wait(10)
    gate.set()
    assert isinstance(live.next(10.0), StepResult)
    assert len(found) == 3
    assert isinstance(found[0], Cancelled)
    live.close()


def test_records_arrive_before_the_step_that_they_belong_to() -> None:
    live = pipeline(testing.KnownJudge())
    record = ExperimentRecord(1, "p", "x", "m", "src", Status.OK, "", ())
    live.begin("propose", Candidate(1, CHOICE), lambda: live.keep(record))
    assert live.next(10.0) == Records((), (record,))
    assert isinstance(live.next(10.0), StepResult)
    live.close()


@pytest.mark.parametrize("tried", [0, 3])
def test_what_was_tried_in_earlier_sessions_counts(tried: int) -> None:
    budget = Budget(Limit(10, trials=5), trials=2, tried=tried)
    assert (budget.left == 0) == (tried == 3)
