"""Judges one method file outside any run, on instances of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

from archives.archive import SCORE_COLUMNS
from evolve import executors
from evolve.errors import UsageError
from evolve.executors.job import Job
from evolve.runs.resources import judge_resources
from evolve.runs.seeds import SeedFile
from evolve.screening.screen import Screen
from evolve.text import count
from fitness import tasks
from fitness.nouns import Evaluation, Split, Status
from fitness.pgr import FEWEST, interval
from fitness.sandbox.doctor import CONTAINED
from fitness.vault.instance import InstanceName

FIRST = 1000  # judge's own instances: fresh ones that no search ever draws


@dataclass(frozen=True)
class JudgeRequest:
    """How a file is to be judged.

    Attributes:
        task: a name of the table, or the user's own as `module:NAME` or `path/to/task.py[:NAME]`, which is imported.
        domain: a domain of the task, or None for its first search domain.
        instances: how many instances.
        probes: whether the method is probed for reward hacks, thoroughly.
        workers: trials at once.
        trust: whether it runs below sandbox level B too.
    """

    task: str = "embedded"
    domain: str | None = None
    instances: int = 5
    probes: bool = True
    workers: int = 2
    device: str = "auto"
    trust: bool = False


def judge(seed: SeedFile, how: JudgeRequest, warn: Callable[[str], None], say: Callable[[str], None]) -> dict[str, Any]:
    """Judge a file and count the look; return the verdict, as `judge --json` prints it.

    `warn` is told when the sandbox does not contain methods, `say` what takes long. Raises EvolveError.
    """
    task = tasks.load(tasks.admit(how.task))
    domain = how.domain or task.search_domains[0]
    if domain not in tasks.domains(task):
        raise UsageError(f"{task.name} has no domain {domain!r}: the domains are {', '.join(tasks.domains(task))}")
    facts: dict[str, Any] = {"method": None, "file": str(seed.path), "domain": domain}
    names = [InstanceName(task.name, domain, Split.FRESH, FIRST + i) for i in range(how.instances)]
    with judge_resources(task, names, how.device, trust=how.trust) as resources:
        if resources.sandbox.level not in CONTAINED:
            warn(resources.sandbox.summary)
        if resources.sandbox.note:
            say(resources.sandbox.note)
        facts["device"] = resources.sandbox.device
        screened = Screen(resources.worker).parse(seed.source, seed.name)
        if screened.method is None:
            refused = _outcome(Evaluation("", (), Status.INVALID, None, message=screened.reason))
            return facts | refused | {"said": [], "looks": 0}
        method = screened.method.method
        missing = sum(not resources.vault.ready(task, n.domain, n.split, n.index) for n in names)
        if missing:
            say(f"building {missing} instances of {domain}, about {4 * missing} s")
        executor = executors.load("local")
        with executors.opened(executor, resources.judge, how.workers), resources.stopped_at_the_end():
            say(f"judging on {count(len(names), 'instance')} of {domain}")
            futures = [executor.submit(Job("evaluate", method, (name,))) for name in names]
            trials = tuple(trial for future in futures for trial in future.result().trials)
            failed = next((t for t in trials if t.status is not Status.OK), None)
            status, message = (failed.status, failed.message) if failed else (Status.OK, "")
            whole = Evaluation(method.id, trials, status, None, message=message)
            if how.probes and not failed:
                say("probing for reward hacks, thoroughly")
                whole = replace(whole, findings=resources.judge.inspect(method, trials, thorough=True))
        looks = resources.vault.log_look("judge", method.id, domain, Split.FRESH, len(trials))
    said = (failed or trials[0]).said.splitlines()
    return facts | {"method": method.id} | _outcome(whole) | {"said": said, "looks": looks}


def _outcome(evaluation: Evaluation) -> dict[str, Any]:
    """Return the fields of the verdict that come from the evaluation; pgr is None unless every trial was OK."""
    scores = evaluation.scores if evaluation.status is Status.OK else ()
    span = interval(scores) if len(scores) >= FEWEST else None

    def mean(name: str) -> float | None:
        return fmean(getattr(s, name) for s in scores) if scores else None

    rows = [
        {
            "instance": t.instance,
            "status": str(t.status),
            "pgr": getattr(t.score, "pgr", None),
            **{column: getattr(t.score, name, None) for name, column in SCORE_COLUMNS.items()},
            "seconds": round(t.seconds, 4),
        }
        for t in evaluation.trials
    ]
    return {
        "status": str(evaluation.status),
        "message": evaluation.message,
        "pgr": mean("pgr"),
        "pgr_low": span.low if span else None,
        "pgr_high": span.high if span else None,
        **{column: mean(name) for name, column in SCORE_COLUMNS.items()},
        "seconds": round(evaluation.seconds, 4),
        "flags": list(evaluation.flags),
        "probes": [asdict(finding) for finding in evaluation.findings],
        "instances": rows,
    }
