"""Describes what is to be judged as data, so that any executor can carry it to where a judge is open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from fitness.judge import Evaluator
from fitness.nouns import Evaluation, Method, Trial
from fitness.vault.instance import InstanceName

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True)
class Job:
    """One piece of judging.

    Attributes:
        kind: evaluate a method on instances, racing the rival; certify it: evaluate it without a race, then examine it;
            or inspect it: probe it for reward hacks on the instances of some of its trials.
        rival: PGRs to keep up with, instance by instance; none means no race.
        trials: those among whose instances it is inspected; none for the other kinds.
        thorough: whether the probes take their time.
        draw: what the trials are drawn for, where that is not the method alone (judge.pair).
    """

    kind: Literal["evaluate", "certify", "inspect"]
    method: Method
    instances: tuple[InstanceName, ...] = ()
    rival: tuple[float, ...] = ()
    trials: tuple[Trial, ...] = ()
    thorough: bool = False
    draw: str = ""

    def to_json(self) -> str:
        """Return the job as JSON; `from_json` gives an equal one."""
        return _adapter().dump_json(self).decode()


def from_json(text: str) -> Job:
    """Read a job. Raises ValueError when the text is no job."""
    return _adapter().validate_json(text)


def perform(job: Job, judge: Evaluator) -> Evaluation:
    """Do a job with an open judge; an inspection carries its findings and the trials it chose among.

    Raises Cancelled when the run is stopping.
    """
    if job.kind == "evaluate":
        return judge.evaluate(job.method, job.instances, job.rival, job.draw)
    if job.kind == "certify":
        return judge.certify(job.method, job.instances, job.thorough)
    if not job.trials:
        raise ValueError("an inspection needs the trials among whose instances it is done")
    findings = judge.inspect(job.method, job.trials, job.thorough)
    return Evaluation(job.method.id, job.trials, job.trials[0].status, None, findings=findings)


@cache
def _adapter() -> TypeAdapter[Job]:
    from pydantic import TypeAdapter

    return TypeAdapter(Job)
